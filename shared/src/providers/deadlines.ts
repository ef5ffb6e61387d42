/** Notices a vendor that takes too long. */

import type { VendorTimeouts } from '../protocol/upstream-settings.ts';

/** Which wait was too long. */
export type Deadline = 'connect' | 'firstToken' | 'idle' | 'total';

/** A watch over one answer. */
export interface DeadlineWatch {
  /** The headers came. */
  connected(): void;
  /** A wait for bytes begins. Time between `heard` and `waiting` is the reader's, not the vendor's. */
  waiting(): void;
  /** Bytes came. */
  heard(): void;
  /** The first text or tool call came. */
  spoke(): void;
  /** The deadline that passed, once one has. */
  expired(): Deadline | undefined;
  stop(): void;
}

/**
 * Calls `onExpired` once when a deadline passes. One timer serves the whole answer and is set again
 * only when it fires, or when a new phase has a nearer deadline: setting one a read would cost more
 * than the read.
 */
export function watchDeadlines(timeouts: VendorTimeouts, onExpired: () => void): DeadlineWatch {
  const startedAt = Date.now();
  let phase: 'connecting' | 'headers' | 'bytes' = 'connecting';
  let hasSpoken = false;
  let waitingSince: number | undefined = startedAt;
  let busySince = startedAt;
  /** The reader's share of the time before the first token. */
  let busyMs = 0;
  let passed: Deadline | undefined;
  let dueAt = 0;
  let timer: ReturnType<typeof setTimeout>;
  arm(startedAt);

  // No generator: one made in here would leave a map of its own in the old generation for each answer,
  // which keeps all that the answer holds until the next full garbage collection.
  function nearest(now: number): [Deadline, number] {
    let first: [Deadline, number] = ['total', startedAt + timeouts.totalMs];
    const consider = (deadline: Deadline, at: number) => {
      if (at <= first[1]) first = [deadline, at];
    };
    if (phase === 'bytes') consider('idle', (waitingSince ?? now) + timeouts.idleMs);
    if (!hasSpoken) {
      const spentMs = busyMs + (waitingSince === undefined ? now - busySince : 0);
      consider('firstToken', startedAt + timeouts.firstTokenMs + spentMs);
    }
    if (phase === 'connecting') consider('connect', startedAt + timeouts.connectMs);
    return first;
  }

  function arm(now: number): void {
    dueAt = nearest(now)[1];
    timer = setTimeout(check, dueAt - now);
  }

  function check(): void {
    const now = Date.now();
    const [deadline, at] = nearest(now);
    if (at > now) {
      arm(now);
      return;
    }
    passed = deadline;
    onExpired();
  }

  function enter(next: typeof phase): void {
    phase = next;
    const now = Date.now();
    if (passed !== undefined || nearest(now)[1] >= dueAt) return;
    clearTimeout(timer);
    arm(now);
  }

  return {
    connected() {
      busySince = Date.now();
      enter('headers');
    },
    waiting() {
      waitingSince = Date.now();
      if (!hasSpoken) busyMs += waitingSince - busySince;
    },
    heard() {
      waitingSince = undefined;
      if (hasSpoken) return;
      busySince = Date.now();
      if (phase !== 'bytes') enter('bytes');
    },
    spoke() {
      hasSpoken = true;
      if (phase !== 'bytes') enter('bytes');
    },
    expired: () => passed,
    stop: () => clearTimeout(timer),
  };
}
