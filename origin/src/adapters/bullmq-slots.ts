/** The free hands of a node, which the types of tasks share in turns. */

/** Who waits for a slot. */
interface Waiting {
  readonly type: string;
  resolve(isTaken: boolean): void;
}

/** Slots, of all types together. */
export interface Slots {
  /**
   * Takes one, in the order of asking. False where there is none within `withinMs` (absent: as long
   * as it takes), or after `close`.
   */
  take(type: string, withinMs?: number): Promise<boolean>;
  give(): void;
  /** True where another type waits for a slot. */
  isWantedBeside(type: string): boolean;
  /** Nobody gets a slot any more. */
  close(): void;
}

/** Makes free slots. */
export function createSlots(count: number): Slots {
  const waiting = new Set<Waiting>();
  let free = count;
  let isClosed = false;

  return {
    take(type, withinMs) {
      if (isClosed) return Promise.resolve(false);
      if (free > 0) {
        free -= 1;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        let timer: NodeJS.Timeout | undefined;
        const waiter: Waiting = {
          type,
          resolve(isTaken) {
            clearTimeout(timer);
            waiting.delete(waiter);
            resolve(isTaken);
          },
        };
        waiting.add(waiter);
        if (withinMs !== undefined) timer = setTimeout(() => waiter.resolve(false), withinMs);
      });
    },
    give() {
      const [first] = waiting;
      if (first === undefined) free += 1;
      else first.resolve(true);
    },
    isWantedBeside(type) {
      for (const waiter of waiting) if (waiter.type !== type) return true;
      return false;
    },
    close() {
      isClosed = true;
      for (const waiter of waiting) waiter.resolve(false);
    },
  };
}
