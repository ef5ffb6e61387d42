/** Serves the readers of a stream that another host writes, by following its log. */

import { GatewayError, type WireError } from '../protocol/errors.ts';
import { type EventPosition, isFinal, type StreamEvent, type StreamStatus } from './event.ts';
import { answerOf, REPLAY_PAGE } from './log-reading.ts';
import type {
  Alarm,
  Clock,
  DeliveryView,
  Logger,
  MaybePromise,
  SessionStore,
  StreamLog,
  Subscriber,
} from './ports.ts';
import { createReaders } from './readers.ts';
import { type AttachDecision, decideAttach } from './resume-cursor.ts';
import { isEnded, type SessionState, targetOf } from './session-state.ts';
import { type StreamView, viewOf } from './stream-view.ts';

/** A follower looks this often where no hint comes, in ms: a hint may be lost. */
const POLL_MS = 1_000;

/** Looks in a row that find no state before a stream that had not ended counts as forgotten. */
const MISSES = 10;

/** How long a cancel waits for the owner, in ms: longer than a takeover takes. */
const CANCEL_MS = 10_000;

/** How long a reader waits for events that a store has lost and its owner writes again, in ms. */
const REREAD_MS = 15_000;

/** Seconds after which a stream that is full of readers may have a place. */
const FULL_RETRY_SECONDS = 5;

const UNFINISHED: WireError = {
  code: 'processing_failed',
  message: 'The gateway could not keep the stream. Send the prompt again.',
};

const FORGOTTEN: WireError = {
  code: 'expired',
  message: 'This stream is gone: its retention is over. Open a new one.',
};

/** What a follower is wired to. */
export interface FollowerPorts {
  readonly log: Pick<StreamLog, 'read' | 'head'>;
  readonly store: Pick<SessionStore, 'load'>;
  /** The delivery of the stream's callback. */
  delivery(): MaybePromise<DeliveryView | undefined>;
  readonly clock: Clock;
  /** Rings {@link Follower.wake}. */
  readonly alarm: Alarm;
  readonly logger: Logger;
  /**
   * Calls `hint` after the log has grown, with where it ends now, and after the end was kept,
   * without; a lost hint costs a poll. Returns what ends it.
   */
  watch(hint: (head?: EventPosition) => void): () => void;
  /** So many readers are here now: the owner must know, because readers start and keep a session. */
  readers(count: number): void;
  /** Asks the owner to cancel; a word that is lost is said again. */
  askToCancel(): void;
  readonly maxReaders?: number;
  readonly maxBufferedBytes?: number;
}

/** A stream as it is seen from a host that does not own it; the engine's outside. */
export interface Follower {
  readonly status: StreamStatus;
  /** As the engine's. */
  decide(after: EventPosition | undefined): AttachDecision;
  attach(subscriber: Subscriber, afterSeq: number, gap?: boolean): void;
  detach(subscriber: Subscriber): void;
  /** Resolves once the stream has ended. Errors: `unavailable` when no owner heard of it in time. */
  cancel(): Promise<void>;
  view(): Promise<StreamView>;
  /** The alarm rang. */
  wake(): Promise<void>;
  /** Catches up; false where the stream is forgotten. */
  refresh(): Promise<boolean>;
  /** The host goes down: its readers come back to another one. */
  letGo(): void;
  readonly readerCount: number;
}

/** Makes a follower of what the log and the store have; `undefined` where there is no such stream. */
export async function createFollower(ports: FollowerPorts): Promise<Follower | undefined> {
  const found = await ports.store.load();
  if (found === undefined) return undefined;
  const { streamId } = found.request;
  let state: SessionState = found;
  /** The last event that may be shown: the final one only once the state says that the end is kept. */
  let shown: EventPosition = { epoch: found.epoch, seq: 0 };
  let ended = false;
  /** Where the log ends, as far as hints tell. */
  let hinted: EventPosition = { epoch: 0, seq: 0 };
  let looking: Promise<void> | undefined;
  let mustLookAgain = false;
  let mustLookFar = false;
  let misses = 0;
  let cancels = 0;
  let unwatch: (() => void) | undefined;
  /** Those who wait for anything to happen. */
  const waiters = new Set<() => void>();

  const readers = createReaders({
    log: { ...unwritable, ...ports.log, read: readShown },
    shown: () => shown,
    model: () => targetOf(state).name,
    changed(count) {
      if (!ended) ports.readers(count);
      watchOrRest();
    },
    failed: (thrown) => ports.logger.error({ streamId, err: thrown }, 'replay failed'),
    ...(ports.maxBufferedBytes === undefined ? {} : { maxBufferedBytes: ports.maxBufferedBytes }),
  });

  /**
   * What was shown once must be there. Where it is not, the answer has begun again, or Redis has
   * lost it in a crash and its owner writes it again.
   */
  async function readShown(after: EventPosition, limit: number): Promise<readonly StreamEvent[]> {
    const untilMs = ports.clock.nowMs() + REREAD_MS;
    for (;;) {
      const page = await ports.log.read(after, limit);
      if (page.length > 0 || ended || ports.clock.nowMs() >= untilMs) return page;
      await look(true);
      if (after.epoch !== shown.epoch || unwatch === undefined) return [];
      await nextLook();
    }
  }

  /** Follows the log while there is somebody to follow it for. */
  function watchOrRest(): void {
    const isWanted = !ended && (readers.count > 0 || cancels > 0);
    if (isWanted && unwatch === undefined) {
      unwatch = ports.watch(onHint);
      ports.alarm.set(ports.clock.nowMs() + POLL_MS);
      // What came between the last look and the watch gave no hint.
      lookSoon(true);
    } else if (!isWanted && unwatch !== undefined) {
      unwatch();
      unwatch = undefined;
      ports.alarm.set(undefined);
    }
  }

  function onHint(head?: EventPosition): void {
    if (head !== undefined) hinted = head;
    lookSoon(head === undefined);
  }

  function lookSoon(far: boolean): void {
    look(far).catch(warn);
  }

  /** The readers keep what they have, and the next look, at the latest the next poll, goes on. */
  function warn(err: unknown): void {
    ports.logger.warn({ streamId, err }, 'log could not be followed');
  }

  /** One look at a time; `far` also asks where the log ends, for what no hint tells. */
  function look(far: boolean): Promise<void> {
    mustLookAgain = true;
    mustLookFar ||= far;
    looking ??= lookOn().finally(() => {
      looking = undefined;
      for (const tell of waiters) tell();
    });
    return looking;
  }

  async function lookOn(): Promise<void> {
    while (mustLookAgain && !ended) {
      mustLookAgain = false;
      const far = mustLookFar;
      mustLookFar = false;
      await follow(far);
    }
  }

  async function follow(far: boolean): Promise<void> {
    for (;;) {
      const page = await ports.log.read(shown, REPLAY_PAGE);
      if (page.length > 0) {
        if (!(await show(page))) return;
        if (!far && hinted.epoch === shown.epoch && hinted.seq <= shown.seq) return;
        continue;
      }
      const head = await ports.log.head();
      if (head.epoch > shown.epoch) {
        // The answer began again: readers of the epoch before it are taken along from its first event.
        shown = { epoch: head.epoch, seq: 0 };
        state = (await ports.store.load()) ?? state;
      } else if (head.epoch < shown.epoch || head.seq <= shown.seq) return;
    }
  }

  /** Shows a page. False where nothing more can come: the end, or an end that is not kept yet. */
  async function show(page: readonly StreamEvent[]): Promise<boolean> {
    const last = page[page.length - 1];
    const isLast = last !== undefined && isFinal(last);
    if (isLast && !(await isEndKept())) {
      publish(page.slice(0, -1));
      return false;
    }
    ended = isLast;
    publish(page);
    if (ended) watchOrRest();
    return !ended;
  }

  async function isEndKept(): Promise<boolean> {
    const now = await ports.store.load();
    if (now === undefined || !isEnded(now.status)) return false;
    state = now;
    return true;
  }

  function publish(events: readonly StreamEvent[]): void {
    if (events.length === 0) return;
    const { epoch, seq } = shown;
    shown = { epoch, seq: seq + events.length };
    readers.publish({ epoch, firstSeq: seq + 1, events }, ended);
  }

  /** Looks at the log, then at the state: an end without a final event is the state's alone. */
  async function refresh(): Promise<boolean> {
    await look(true);
    if (ended) return (await ports.store.load()) !== undefined;
    const now = await ports.store.load();
    misses = now === undefined ? misses + 1 : 0;
    if (now === undefined) {
      // Redis may have lost it in a crash; its owner writes it again.
      if (misses >= MISSES || isEnded(state.status)) readers.endAll(FORGOTTEN);
      return false;
    }
    const wasEnded = isEnded(state.status);
    state = now;
    if (!isEnded(now.status)) return true;
    // The final event comes before the state: one look more, and it is there or never will be.
    if (!wasEnded) await look(true);
    tellUnfinished();
    return true;
  }

  /** The state says that the stream is over, and the log has no end: readers get it without one. */
  function tellUnfinished(): void {
    if (!ended && isEnded(state.status)) readers.endAll(state.error ?? UNFINISHED);
  }

  function nextLook(): Promise<void> {
    return new Promise((resolve) => {
      const tell = () => {
        waiters.delete(tell);
        resolve();
      };
      waiters.add(tell);
    });
  }

  async function start(): Promise<void> {
    const head = await ports.log.head();
    if (head.seq === 0) return tellUnfinished();
    const [last] = await ports.log.read({ epoch: head.epoch, seq: head.seq - 1 }, 1);
    const isLast = last !== undefined && isFinal(last);
    ended = isLast && (await isEndKept());
    shown = isLast && !ended ? { epoch: head.epoch, seq: head.seq - 1 } : head;
    tellUnfinished();
  }

  await start();

  return {
    get status() {
      return state.status;
    },
    get readerCount() {
      return readers.count;
    },
    decide(after) {
      const isUnfinished = !ended && isEnded(state.status);
      const unfinished = isUnfinished ? (state.error ?? UNFINISHED) : undefined;
      const decision = decideAttach({ ...shown, ended, unfinished }, after);
      if (decision.type !== 'nothing-left' && readers.count >= (ports.maxReaders ?? Infinity)) {
        throw new GatewayError('rate_limited', 'This stream has as many readers as it may have.', {
          details: { retryAfterSeconds: FULL_RETRY_SECONDS },
        });
      }
      return decision;
    },
    attach: (subscriber, afterSeq, gap = false) => readers.attach(subscriber, afterSeq, ended, gap),
    detach: (subscriber) => readers.detach(subscriber),
    async cancel() {
      const untilMs = ports.clock.nowMs() + CANCEL_MS;
      cancels += 1;
      watchOrRest();
      try {
        while ((await refresh()) && !isEnded(state.status)) {
          if (ports.clock.nowMs() >= untilMs) throw notInTime();
          const changed = nextLook();
          ports.askToCancel();
          await changed;
        }
      } finally {
        cancels -= 1;
        watchOrRest();
      }
    },
    async view() {
      await refresh();
      const text = await answerOf({ ...unwritable, ...ports.log }, shown.epoch);
      return viewOf(state, text, shown, await ports.delivery());
    },
    async wake() {
      if (unwatch === undefined) return;
      await refresh().catch(warn);
      for (const tell of [...waiters]) tell();
      if (unwatch !== undefined) ports.alarm.set(ports.clock.nowMs() + POLL_MS);
    },
    refresh,
    letGo: () => readers.endAll(),
  };
}

/** A follower writes nothing; the readers and the log's own reads ask for no more than it has. */
const unwritable: StreamLog = {
  append: refuse,
  seal: refuse,
  drop: refuse,
  read: refuse,
  head: refuse,
};

function refuse(): never {
  throw new GatewayError('conflict', 'This instance does not own the stream.');
}

function notInTime(): GatewayError {
  return new GatewayError('unavailable', 'The stream could not be stopped in time. Try again.', {
    details: { retryAfterSeconds: 2 },
  });
}
