/** A number of places, taken one at a time, in the order of asking. */

export interface FreeSlots {
  /** Takes one where one is free. */
  tryTake(): boolean;
  /** Resolves once one was taken for the caller, who gives it back also when it comes too late. */
  take(): Promise<true>;
  release(): void;
  readonly used: number;
}

/** Makes `size` places. */
export function createFreeSlots(size: number): FreeSlots {
  const waiting: ((taken: true) => void)[] = [];
  let used = 0;

  function tryTake(): boolean {
    if (used >= size) return false;
    used += 1;
    return true;
  }

  return {
    tryTake,
    async take() {
      if (tryTake()) return true;
      const { promise, resolve } = Promise.withResolvers<true>();
      waiting.push(resolve);
      return promise;
    },
    release() {
      const next = waiting.shift();
      // The place passes from hand to hand, so that nobody can slip in between.
      if (next === undefined) used -= 1;
      else next(true);
    },
    get used() {
      return used;
    },
  };
}
