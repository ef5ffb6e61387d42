/** Tells what the engines of a node say, when it is due: one alarm serves all attempts. */

import type { Alarm, Clock } from '../stream/ports.ts';
import type { RunningAttempt } from './running-attempt.ts';

/** What the news are wired to. */
export interface RunningNewsPorts {
  readonly clock: Clock;
  /** Makes an alarm that calls `onDue`. */
  alarm(onDue: () => void): Alarm;
  /** All attempts under way. */
  attempts(): Iterable<RunningAttempt>;
  /** Steps of the attempt wait to be committed. */
  commit(attempt: RunningAttempt): void;
}

/** The news of one node. */
export interface RunningNews {
  /** The attempt has heard something. */
  heard(attempt: RunningAttempt): void;
  /** Tells nothing more by itself. */
  stop(): void;
}

/** Makes a node's news. */
export function createRunningNews(ports: RunningNewsPorts): RunningNews {
  const { clock } = ports;
  const alarm = ports.alarm(() => {
    alarmAtMs = undefined;
    for (const attempt of ports.attempts()) heard(attempt);
  });
  let alarmAtMs: number | undefined;

  function heard(attempt: RunningAttempt): void {
    const nowMs = clock.nowMs();
    const isDue = (attempt.newsDueMs ?? Number.POSITIVE_INFINITY) <= nowMs;
    if (isDue && attempt.tell(nowMs)) ports.commit(attempt);
    const nextMs = attempt.newsDueMs;
    if (nextMs === undefined || (alarmAtMs !== undefined && alarmAtMs <= nextMs)) return;
    alarmAtMs = nextMs;
    alarm.set(nextMs);
  }

  return { heard, stop: () => alarm.set(undefined) };
}
