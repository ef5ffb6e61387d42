/** The children of a pool: which one serves a task, and when another one is started. */

import { type EngineChild, type EngineChildOptions, startEngineChild } from './engine-child.ts';

/** Pause between two looks at the memory of children that work, in ms. */
const LOOK_MS = 100;

/** Children, some of them idle. */
export interface ChildSet {
  /** True where an idle child has the engine already. */
  hasWarm(engine: string): boolean;
  /**
   * Takes a child: the idle one that has the engine and worked last, else a new one while there is
   * room, else an idle one. It may not be ready yet. MUST be called `size` times at most before
   * children are given back.
   */
  claim(engine: string): EngineChild;
  /** Gives it back; for one that died at its work, another one gets ready. */
  giveBack(child: EngineChild, engine: string): void;
  readonly processes: number;
  /** Kills all of them; what they run ends as stopped. Resolves when no process is left. */
  close(): Promise<void>;
}

/** Makes a set of at most `size` children, none of which is started yet. */
export function createChildSet(size: number, options: Omit<EngineChildOptions, 'id'>): ChildSet {
  /** In the order they became idle. */
  const idle: EngineChild[] = [];
  const alive = new Set<EngineChild>();
  const busy = new Set<EngineChild>();
  /** With those that are being killed. */
  const processes = new Set<EngineChild>();
  let started = 0;
  let looking: ReturnType<typeof setInterval> | undefined;
  let isClosed = false;

  function start(): EngineChild {
    started += 1;
    const child = startEngineChild({ ...options, id: `engine-${started}` });
    alive.add(child);
    processes.add(child);
    void child.gone.then(() => {
      processes.delete(child);
      forget(child);
    });
    return child;
  }

  function forget(child: EngineChild): void {
    alive.delete(child);
    takeIdle((one) => one === child);
  }

  /** The one that became idle last, of those that will do. */
  function takeIdle(isRight: (child: EngineChild) => boolean): EngineChild | undefined {
    const at = idle.findLastIndex(isRight);
    return at === -1 ? undefined : idle.splice(at, 1)[0];
  }

  function choose(engine: string): EngineChild {
    const holds = (child: EngineChild): boolean => child.isAlive() && child.holds(engine);
    const warm = takeIdle((child) => holds(child) && child.isReady()) ?? takeIdle(holds);
    if (warm !== undefined) return warm;
    if (alive.size < size) return start();
    const other = takeIdle((child) => child.isAlive());
    if (other === undefined) return start();
    // Another engine beside what it holds would take it over its limit, and a task with it.
    if ((other.memory() ?? 0) <= options.memoryLimitBytes / 2) return other;
    other.kill({ type: 'stopped' });
    forget(other);
    return start();
  }

  function look(): void {
    for (const child of busy) child.checkMemory();
    if (busy.size > 0) return;
    clearInterval(looking);
    looking = undefined;
  }

  return {
    hasWarm: (engine) => idle.some((child) => child.isAlive() && child.holds(engine)),
    claim(engine) {
      const child = choose(engine);
      busy.add(child);
      looking ??= setInterval(look, LOOK_MS);
      return child;
    },
    giveBack(child, engine) {
      busy.delete(child);
      if (child.isAlive()) {
        idle.push(child);
        return;
      }
      forget(child);
      // Only for one that was of use: one that cannot start, or load, would fail again at once.
      if (isClosed || alive.size >= size || !child.isReady() || !child.holds(engine)) return;
      const next = start();
      next.load(engine);
      idle.push(next);
    },
    get processes() {
      return processes.size;
    },
    async close() {
      isClosed = true;
      clearInterval(looking);
      for (const child of processes) child.kill({ type: 'stopped' });
      await Promise.all([...processes].map((child) => child.gone));
    },
  };
}
