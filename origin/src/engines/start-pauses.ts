/** Pauses between attempts at starting something that failed to start, so that nothing spins. */

/** First pause, in ms; doubled with each failure, up to the longest. */
const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/** Pauses by the name of what is started. */
export interface StartPauses {
  /** Time until the next attempt may be made, in ms; 0: now. */
  leftMs(name: string): number;
  /** It failed. Gives the pause, in ms; failures of attempts made together count as one. */
  failed(name: string): number;
  worked(name: string): void;
}

/** Keeps the pauses. */
export function createStartPauses(nowMs: () => number): StartPauses {
  const pauses = new Map<string, { readonly pauseMs: number; readonly untilMs: number }>();

  function leftMs(name: string): number {
    const known = pauses.get(name);
    if (known === undefined) return 0;
    // A clock that steps back must not prolong it.
    return Math.min(known.pauseMs, Math.max(0, known.untilMs - nowMs()));
  }

  return {
    leftMs,
    failed(name) {
      const left = leftMs(name);
      if (left > 0) return left;
      const before = pauses.get(name)?.pauseMs;
      const pauseMs = before === undefined ? FIRST_MS : Math.min(before * 2, LONGEST_MS);
      pauses.set(name, { pauseMs, untilMs: nowMs() + pauseMs });
      return pauseMs;
    },
    worked: (name) => void pauses.delete(name),
  };
}
