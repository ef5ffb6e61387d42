/** Serves the readers of one task's events, by following the store's log. */

import { GatewayError, type WireError } from '../protocol/errors.ts';
import { type EventPosition, isFinal } from '../stream/event.ts';
import { REPLAY_PAGE } from '../stream/log-reading.ts';
import type { Alarm, Clock, Logger, StreamLog, Subscriber } from '../stream/ports.ts';
import { createReaders } from '../stream/readers.ts';
import { type AttachDecision, decideAttach } from '../stream/resume-cursor.ts';
import type { TaskStore } from './ports.ts';
import { isOver } from './task.ts';

/** A follower looks this often where no hint comes, in ms: a hint may be lost. */
const POLL_MS = 1_000;

/** Seconds after which a task that is full of readers may have a place. */
const FULL_RETRY_SECONDS = 5;

const FORGOTTEN: WireError = {
  code: 'expired',
  message: 'This task is gone: its retention is over.',
};

const LOST: WireError = {
  code: 'unavailable',
  message: 'Events of this task were lost. Reconnect with the last event id.',
};

const UNFINISHED: WireError = {
  code: 'expired',
  message: 'The last events of this task are gone. The task itself says what it came to.',
};

/** What a follower is wired to. */
export interface TaskFollowerPorts {
  readonly store: Pick<TaskStore, 'get' | 'read' | 'head' | 'watch'>;
  readonly taskId: string;
  readonly clock: Clock;
  /** Makes an alarm that calls `onDue`. */
  alarm(onDue: () => void): Alarm;
  readonly logger: Logger;
  /** So many readers are there now. */
  readers?(count: number): void;
  /** Default: no bound. Beyond: `rate_limited`. */
  readonly maxReaders?: number;
  /** As the readers of a stream. */
  readonly maxBufferedBytes?: number;
}

/** The events of one task, for any number of readers. */
export interface TaskFollower {
  /** Where a reader that has read up to `after` goes on. Errors: `rate_limited` when it is full. */
  decide(after: EventPosition | undefined): AttachDecision;
  /** Serves a reader of the newest epoch after a number; with `gap` it is told of a restart first. */
  attach(subscriber: Subscriber, afterSeq: number, gap?: boolean): void;
  detach(subscriber: Subscriber): void;
  /** Catches up with the log, before a decision. */
  refresh(): Promise<void>;
  /** The host goes down: its readers come back to another one. */
  letGo(): void;
  readonly readerCount: number;
}

/** Makes a follower of a task as it is now; `undefined` where there is no such task. */
export async function createTaskFollower(
  ports: TaskFollowerPorts,
): Promise<TaskFollower | undefined> {
  const { store, taskId, clock, logger } = ports;
  const found = await store.get(taskId);
  if (found === undefined) return undefined;
  const { type } = found.spec;
  /** The last event that was read. */
  let shown = await store.head(taskId);
  let ended = isOver(found.state.status) && (await endsAt(shown));
  /** The task is over, and its log has no end. */
  let unfinished = isOver(found.state.status) && !ended ? UNFINISHED : undefined;
  let unwatch: (() => void) | undefined;
  let looking: Promise<void> | undefined;
  let mustLook = false;
  let mustLookFar = false;
  const pollAlarm = ports.alarm(() => {
    pollAlarm.set(clock.nowMs() + POLL_MS);
    lookSoon(true);
  });

  const readers = createReaders({
    log: { ...unwritable, read: (after, limit) => store.read(taskId, after, limit) },
    shown: () => shown,
    catchUp: () => look(true),
    model: () => type,
    changed(count) {
      followOrRest();
      ports.readers?.(count);
    },
    failed: (err) => logger.error({ taskId, err }, 'replay failed'),
    ...(ports.maxBufferedBytes === undefined ? {} : { maxBufferedBytes: ports.maxBufferedBytes }),
  });

  async function endsAt({ epoch, seq }: EventPosition): Promise<boolean> {
    if (seq === 0) return false;
    const [last] = await store.read(taskId, { epoch, seq: seq - 1 }, 1);
    return last !== undefined && isFinal(last);
  }

  /** Follows the log while there is somebody to follow it for. */
  function followOrRest(): void {
    const isWanted = !ended && readers.count > 0;
    if (isWanted && unwatch === undefined) {
      unwatch = store.watch(taskId, () => lookSoon(false));
      pollAlarm.set(clock.nowMs() + POLL_MS);
      // What came between the last look and the watch gave no hint.
      lookSoon(true);
    } else if (!isWanted && unwatch !== undefined) {
      unwatch();
      unwatch = undefined;
      pollAlarm.set(undefined);
    }
  }

  function lookSoon(far: boolean): void {
    look(far).catch((err: unknown) => {
      // The readers keep what they have, and the next look, at the latest the next poll, goes on.
      logger.warn({ taskId, err }, 'events of a task could not be followed');
    });
  }

  /** One look at a time; `far` also asks whether what was shown is still there. */
  function look(far: boolean): Promise<void> {
    mustLook = true;
    mustLookFar ||= far;
    looking ??= lookOn().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function lookOn(): Promise<void> {
    while (mustLook && !ended) {
      mustLook = false;
      const far = mustLookFar;
      mustLookFar = false;
      await readOn();
      if (far && !ended) await checkLog();
    }
  }

  /** Shows what is new. */
  async function readOn(): Promise<void> {
    while (!ended) {
      const page = await store.read(taskId, shown, REPLAY_PAGE);
      if (page.length === 0) {
        const head = await store.head(taskId);
        if (head.epoch <= shown.epoch) return;
        // What was shown is void: readers are taken along from the first event of the later epoch.
        shown = { epoch: head.epoch, seq: 0 };
        continue;
      }
      const firstSeq = shown.seq + 1;
      shown = { epoch: shown.epoch, seq: shown.seq + page.length };
      const last = page.at(-1);
      ended = last !== undefined && isFinal(last);
      readers.publish({ epoch: shown.epoch, firstSeq, events: page }, ended);
    }
    followOrRest();
  }

  /** A task that is gone, or whose log lost events in a crash of the store, shows no more. */
  async function checkLog(): Promise<void> {
    const record = await store.get(taskId);
    if (record === undefined) {
      readers.endAll(FORGOTTEN);
      return;
    }
    const { epoch, seq } = await store.head(taskId);
    if (epoch < shown.epoch || (epoch === shown.epoch && seq < shown.seq)) {
      readers.endAll(LOST);
      shown = { epoch, seq };
    }
    if (!isOver(record.state.status)) return;
    // The end comes with its event: one look more, and it is there or never will be.
    await readOn();
    if (ended) return;
    unfinished = UNFINISHED;
    readers.endAll(UNFINISHED);
  }

  return {
    decide(after) {
      const decision = decideAttach({ ...shown, ended, unfinished }, after);
      if (decision.type !== 'nothing-left' && readers.count >= (ports.maxReaders ?? Infinity)) {
        throw new GatewayError('rate_limited', 'This task has as many readers as it may have.', {
          details: { retryAfterSeconds: FULL_RETRY_SECONDS },
        });
      }
      return decision;
    },
    attach: (subscriber, afterSeq, gap = false) => readers.attach(subscriber, afterSeq, ended, gap),
    detach: (subscriber) => readers.detach(subscriber),
    refresh: () => look(true),
    letGo: () => readers.endAll(),
    get readerCount() {
      return readers.count;
    },
  };
}

/** A follower writes nothing; its readers ask for no more than what can be read. */
const unwritable: StreamLog = {
  append: refuse,
  seal: refuse,
  drop: refuse,
  read: refuse,
  head: refuse,
};

function refuse(): never {
  throw new GatewayError('conflict', 'Events of a task are written with the task alone.');
}
