/** Why an attempt may have to end before its engine is done. */

/** Taken from its node, or out of time. */
type CutReason = 'stopped' | 'timed-out';

/** Watches one attempt's signal and its time. */
export interface AttemptCut {
  readonly reason: CutReason | undefined;
  /**
   * Waits for a promise as long as there is no reason to end; then gives `undefined`, and `late`
   * gets what the promise comes to after all. A value that was given has no `late` call.
   */
  wait<Value>(promise: Promise<Value>, late?: (value: Value) => void): Promise<Value | undefined>;
  /** Calls `act` when there is a reason; at once where there is one already. Replaces the one before. */
  whenCut(act: (reason: CutReason) => void): void;
  cut(reason: CutReason): void;
  /** Watches no more. */
  end(): void;
}

/** Begins to watch. */
export function watchAttempt(signal: AbortSignal, timeoutMs: number): AttemptCut {
  let reason: CutReason | undefined;
  let act: ((reason: CutReason) => void) | undefined;
  const timer = setTimeout(() => cut('timed-out'), timeoutMs);
  const stopped = (): void => cut('stopped');
  signal.addEventListener('abort', stopped);

  function cut(why: CutReason): void {
    if (reason !== undefined) return;
    reason = why;
    end();
    act?.(why);
  }

  function end(): void {
    clearTimeout(timer);
    signal.removeEventListener('abort', stopped);
  }

  function whenCut(next: (reason: CutReason) => void): void {
    act = next;
    if (reason !== undefined) next(reason);
  }

  if (signal.aborted) cut('stopped');
  return {
    get reason() {
      return reason;
    },
    wait(promise, late) {
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          resolve(undefined);
          // Nobody waits for a failure any more.
          promise.then(late, () => undefined);
        };
        const came = (): void => {
          if (act === leave) act = undefined;
        };
        whenCut(leave);
        if (reason !== undefined) return;
        promise.then(
          (value) => {
            came();
            resolve(value);
          },
          (thrown: unknown) => {
            came();
            reject(thrown);
          },
        );
      });
    },
    whenCut,
    cut,
    end,
  };
}
