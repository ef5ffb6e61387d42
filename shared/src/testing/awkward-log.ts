/** A log that answers when a test says so, and in the order it says. */

import { createMemoryLog } from '../stream/memory-log.ts';
import type { StreamLog } from '../stream/ports.ts';

/** When an operation touches the log: as it is called, or as it is answered. */
export type Touch = 'early' | 'late';

/** A log, and its unanswered calls. */
export interface AwkwardLog extends StreamLog {
  /** Calls that wait for their answer. */
  readonly waiting: number;
  /** Answers the `index`-th waiting call, counted from the oldest, modulo their number. */
  answer(index: number): void;
  /** Answers whatever waits and will wait. */
  flow(): void;
  /** What the log holds. */
  readonly kept: StreamLog;
}

/** Makes a log over another one, an empty one by default; `touch` decides for each call in turn. */
export function createAwkwardLog(
  touch: (call: number) => Touch,
  kept: StreamLog = createMemoryLog(),
): AwkwardLog {
  const waiting: (() => void)[] = [];
  let calls = 0;
  let isFlowing = false;

  function later<T>(work: () => T | Promise<T>): Promise<T> {
    const early = touch(calls) === 'early' ? { value: work() } : undefined;
    calls += 1;
    return new Promise<T>((resolve, reject) => {
      waiting.push(() => {
        try {
          resolve(early === undefined ? work() : early.value);
        } catch (thrown) {
          reject(thrown);
        }
      });
      if (isFlowing) for (const answer of waiting.splice(0)) answer();
    });
  }

  return {
    kept,
    get waiting() {
      return waiting.length;
    },
    answer(index) {
      if (waiting.length === 0) return;
      const [answer] = waiting.splice(index % waiting.length, 1);
      answer?.();
    },
    flow() {
      isFlowing = true;
      for (const answer of waiting.splice(0)) answer();
    },
    append: (batch) => later(() => kept.append(batch)),
    read: (after, limit) => later(() => kept.read(after, limit)),
    seal: () => later(() => kept.seal()),
    head: () => later(() => kept.head()),
    drop: () => later(() => kept.drop()),
  };
}
