/** Who wants to hear of what, within one process. */

/** Those who listen, by what they listen for. */
export interface TaskEars<Ear> {
  /** Returns what ends it. The same function twice listens twice. */
  add(name: string, ear: Ear): () => void;
  /** Calls `tell` with each one that listens for it. */
  tell(name: string, tell: (ear: Ear) => void): void;
}

/** Makes it with nobody listening. */
export function createTaskEars<Ear>(): TaskEars<Ear> {
  const ears = new Map<string, Set<{ readonly ear: Ear }>>();

  return {
    add(name, ear) {
      const own = { ear };
      const all = ears.get(name) ?? new Set();
      ears.set(name, all.add(own));
      return () => {
        all.delete(own);
        if (all.size === 0 && ears.get(name) === all) ears.delete(name);
      };
    },
    tell(name, tell) {
      for (const { ear } of [...(ears.get(name) ?? [])]) {
        try {
          tell(ear);
        } catch {
          // Any word may be lost: one that is not taken must not undo what it tells of.
        }
      }
    },
  };
}
