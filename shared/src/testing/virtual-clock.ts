/** Time that a test owns. */

import type { Alarm, Clock } from '../stream/ports.ts';

/** A clock that stands still until it is moved. */
export interface VirtualClock extends Clock {
  /** An alarm on this clock. */
  alarm(onDue: () => Promise<void> | void): VirtualAlarm;
  /** Moves on by `ms`; alarms ring in the order of their times, each at its own time. */
  advance(ms: number): Promise<void>;
}

/** An alarm that shows what it is set to. */
export interface VirtualAlarm extends Alarm {
  /** `undefined` while it is not set. */
  readonly atMs: number | undefined;
}

/** Makes a clock that starts at `startMs`, 2030-01-01 by default. */
export function createVirtualClock(startMs: number = Date.UTC(2030, 0, 1)): VirtualClock {
  const alarms: { atMs: number | undefined; readonly onDue: () => Promise<void> | void }[] = [];
  let now = startMs;

  function nextDue(untilMs: number) {
    return alarms
      .filter(({ atMs }) => atMs !== undefined && atMs <= untilMs)
      .sort((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0))[0];
  }

  return {
    nowMs: () => now,
    alarm(onDue) {
      const owner: (typeof alarms)[number] = { atMs: undefined, onDue };
      alarms.push(owner);
      return {
        get atMs() {
          return owner.atMs;
        },
        set(atMs) {
          owner.atMs = atMs;
        },
      };
    },
    async advance(ms) {
      const untilMs = now + ms;
      for (let due = nextDue(untilMs); due !== undefined; due = nextDue(untilMs)) {
        now = Math.max(now, due.atMs ?? now);
        due.atMs = undefined;
        await due.onDue();
      }
      now = untilMs;
    },
  };
}
