/** Performs what a session decides: talks to the model, keeps the log, serves the readers. */

import { GatewayError, toGatewayError, toWireError, type WireError } from '../protocol/errors.ts';
import type { ModelProvider } from '../providers/contract.ts';
import { callbackPayload } from './callback-payload.ts';
import { type EventBatch, type EventPosition, isFinal, type StreamStatus } from './event.ts';
import { answerOf, finalOf, writtenOf } from './log-reading.ts';
import { createModelSource, type ModelSource } from './model-source.ts';
import type { Alarm, Clock, Logger, Outbox, SessionStore, StreamLog, Subscriber } from './ports.ts';
import { createReaders } from './readers.ts';
import { type AttachDecision, decideAttach } from './resume-cursor.ts';
import { stepSession } from './session.ts';
import {
  isEnded,
  type ModelTarget,
  type SessionEffect,
  type SessionInput,
  type SessionState,
  targetOf,
} from './session-state.ts';
import { type StreamView, viewOf } from './stream-view.ts';

const SHUTTING_DOWN: WireError = {
  code: 'unavailable',
  message: 'The gateway is shutting down. Send the prompt again.',
};

const UNKEPT: WireError = {
  code: 'processing_failed',
  message: 'The gateway could not keep the stream. Send the prompt again.',
};

/** Pause before a session that could not be forgotten yet is looked at again, in ms. */
const PURGE_RETRY_MS = 10_000;

/** Seconds after which a stream that is full of readers may have a place. */
const FULL_RETRY_SECONDS = 5;

/** What one session's engine is wired to. */
export interface EnginePorts {
  readonly log: StreamLog;
  readonly store: SessionStore;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly logger: Logger;
  /** The vendor of a target; throws `unavailable` where it is not wired. */
  provider(target: ModelTarget): ModelProvider;
  /** Tokens in a text, for vendors that give no usage. */
  countTokens(text: string): Promise<number>;
  /** What a model says within this time is appended together, in ms. Default 0: each read by itself. */
  readonly gatherMs?: number;
  /** Readers at the same time. Default: any number. */
  readonly maxReaders?: number;
  /** Bytes a reader may leave untaken before it is cut. */
  readonly maxBufferedBytes?: number;
  /** The session's end is kept and shown. */
  ended?(): void;
  /** The session has forgotten everything; its owner may drop it. */
  purged(): void;
  /** Another host owns the stream now: this engine does nothing more, and its readers come back. */
  lost?(): void;
}

/** One live session. */
export interface StreamEngine {
  /**
   * Where a reader that has read up to `after` would begin; changes nothing. Throws `rate_limited`
   * when the stream has as many readers as it may.
   */
  decide(after: EventPosition | undefined): AttachDecision;
  /**
   * Serves a reader after the given number until the end, its own departure, or a cut; with `gap`,
   * it is told that what it had read is not of this stream.
   */
  attach(subscriber: Subscriber, afterSeq: number, gap?: boolean): void;
  detach(subscriber: Subscriber): void;
  /** Readers that other hosts serve from the same log. */
  countRemoteReaders(count: number): void;
  /** Stops the model and keeps what was said; resolves once the end is kept. */
  cancel(): Promise<void>;
  /** The host is going down: ends a live session with a clear error, so that its callback goes out. */
  interrupt(): Promise<void>;
  /** Leaves the session to another host: stops the model and lets the readers go, without an end. */
  handOver(): void;
  /** The alarm rang. */
  wake(): Promise<void>;
  view(): Promise<StreamView>;
  readonly status: StreamStatus;
  /** Readers served here. */
  readonly readerCount: number;
  /** Resolves when every effect begun so far has ended. */
  idle(): Promise<void>;
}

/**
 * Starts the engine of a new session (`created`) or of one found in the store (`restored`).
 *
 * Effects run in the order decided. An append that is kept at once is published in the same turn;
 * one that is not holds back only what comes after it. The final event is published once the end is
 * kept: a reader that has seen it can rely on the callback.
 */
export async function startEngine(
  initial: SessionState,
  ports: EnginePorts,
  origin: 'created' | 'restored',
): Promise<StreamEngine> {
  let state = initial;
  /** The last event that may be shown. */
  let shown: EventPosition = { epoch: initial.epoch, seq: 0 };
  let ended = false;
  /** Appended, and shown once the end is kept. */
  let finalBatch: EventBatch | undefined;
  /** True once the callback of the end is kept: from then on no failure can change what it says. */
  let endKept = origin === 'restored' && isEnded(initial.status);
  /** True once the log or the store refused before that. */
  let broken = false;
  /** True once another host has the session. */
  let isLost = false;
  let remoteReaders = 0;
  let source: ModelSource | undefined;
  /** Effects that could not be done at once, in order. */
  let tail: Promise<void> | undefined;
  const { streamId, resumeUrl } = state.request;
  const callbackId = `msg_${streamId}`;
  const readers = createReaders({
    log: ports.log,
    shown: () => shown,
    model: () => targetOf(state).name,
    changed: countReaders,
    failed: (thrown) => ports.logger.error({ ...fields(), err: thrown }, 'replay failed'),
    ...(ports.maxBufferedBytes === undefined ? {} : { maxBufferedBytes: ports.maxBufferedBytes }),
  });
  const { promise: settled, resolve: resolveSettled } = Promise.withResolvers<void>();

  function fields() {
    return { streamId, provider: targetOf(state).provider };
  }

  function openSource(): void {
    source?.close();
    const mine = createModelSource({
      provider: ports.provider,
      gatherMs: ports.gatherMs ?? 0,
      nowMs: ports.clock.nowMs,
      say: (events) => apply({ type: 'source-events', events }),
      ended: () => apply({ type: 'source-ended' }),
      failed(error, thrown) {
        ports.logger.warn({ ...fields(), code: error.code, err: thrown }, 'model failed');
        apply({ type: 'source-failed', error: toWireError(error) });
      },
      behind: () => tail,
    });
    source = mine;
    mine.open(state.request, targetOf(state));
  }

  function countReaders(): void {
    // Readers that are let go at the end, or to another host, are nobody's decision.
    if (!isEnded(state.status) && !isLost) {
      apply({ type: 'readers', count: readers.count + remoteReaders });
    }
  }

  function apply(input: SessionInput): Promise<void> | undefined {
    if (isLost) return undefined;
    const step = stepSession(state, input, ports.clock.nowMs());
    state = step.state;
    for (const effect of step.effects) {
      if (tail !== undefined) chain(() => perform(effect));
      else {
        const done = performNow(effect);
        if (done !== undefined) chain(() => done);
      }
    }
    return tail;
  }

  /** A host that answers at once also refuses at once. */
  function performNow(effect: SessionEffect): Promise<void> | undefined {
    try {
      return perform(effect);
    } catch (thrown) {
      fail(thrown);
      return undefined;
    }
  }

  function chain(work: () => Promise<void> | undefined): void {
    const mine: Promise<void> = (tail ?? Promise.resolve())
      .then(work)
      .catch(fail)
      .then(() => {
        if (tail === mine) tail = undefined;
      });
    tail = mine;
  }

  /** The log or the store refused: what cannot be kept is not shown, and readers are told. */
  function fail(thrown: unknown): void {
    if (isLost) return;
    const error = toGatewayError(thrown);
    if (error.code === 'conflict') return lose(error);
    ports.logger.error({ ...fields(), code: error.code, err: thrown }, 'session storage failed');
    source?.close();
    if (endKept) {
      resolveSettled();
      ports.alarm.set(ports.clock.nowMs() + PURGE_RETRY_MS);
      return;
    }
    if (broken) return;
    broken = true;
    const { ending: _counting, ...rest } = state;
    const wakeAtMs = ports.clock.nowMs() + state.times.retentionMs;
    state = { ...rest, status: 'failed', error: UNKEPT, wakeAtMs };
    readers.endAll(UNKEPT);
    ports.alarm.set(wakeAtMs);
    chain(keepBroken);
  }

  /** A newer owner has written: it answers for the callback, and the readers find it. */
  function lose(error: GatewayError): void {
    ports.logger.warn({ ...fields(), code: error.code }, 'session taken over by another host');
    leave();
    ports.lost?.();
  }

  function leave(): void {
    isLost = true;
    source?.close();
    ports.alarm.set(undefined);
    readers.endAll();
    resolveSettled();
  }

  /** Calls home with what can still be read of the answer, and keeps the state where it can be. */
  async function keepBroken(): Promise<void> {
    const warn = (what: string) => (cause: unknown) =>
      ports.logger.error({ ...fields(), err: cause }, what);
    const answer = await inPromise(() => answerOf(ports.log, state.epoch)).catch(
      warn('answer is not readable'),
    );
    await inPromise(() => callHome(answer ?? '')).catch(warn('callback could not be kept'));
    await inPromise(saveState).catch(warn('state could not be kept'));
    endKept = true;
    resolveSettled();
    ports.ended?.();
  }

  function perform(effect: SessionEffect): Promise<void> | undefined {
    if (isLost) return undefined;
    // What was decided before the failure is void; forgetting is not.
    if (broken && effect.type !== 'purge' && effect.type !== 'wake-at') return undefined;
    switch (effect.type) {
      case 'open-source':
        openSource();
        return undefined;
      case 'close-source':
        source?.close();
        return undefined;
      case 'append': {
        const { batch } = effect;
        const done = ports.log.append(batch);
        if (!(done instanceof Promise)) return afterAppend(batch);
        return done.then(() => afterAppend(batch));
      }
      case 'count-tokens':
        // Not part of the chain: its answer is an input, which appends to the chain itself.
        void countTokens();
        return undefined;
      case 'settle':
        return settle();
      case 'save':
        return asPromise(ports.store.save(state));
      case 'wake-at':
        ports.alarm.set(effect.atMs);
        return undefined;
      case 'purge':
        return purge();
    }
  }

  function afterAppend(batch: EventBatch): undefined {
    const last = batch.events[batch.events.length - 1];
    if (last !== undefined && isFinal(last)) finalBatch = batch;
    else publish(batch, false);
    return undefined;
  }

  function publish(batch: EventBatch, last: boolean): void {
    shown = { epoch: batch.epoch, seq: batch.firstSeq + batch.events.length - 1 };
    ended = last;
    readers.publish(batch, last);
  }

  async function countTokens(): Promise<void> {
    // What the model said before the end must be in the log before it is counted.
    if (tail !== undefined) await tail;
    const started = shown.seq > 0 || state.status === 'streaming';
    let inputTokens = 0;
    let outputTokens = 0;
    try {
      const prompt = state.request.messages.map((message) => message.content).join('\n');
      if (started) inputTokens = await ports.countTokens(prompt);
      const written = await writtenOf(ports.log, state.epoch);
      outputTokens = await ports.countTokens(written + state.heldText);
    } catch (thrown) {
      // A stream must end even where its tokens cannot be counted.
      ports.logger.error({ ...fields(), err: thrown }, 'token count failed');
    }
    apply({ type: 'tokens-counted', inputTokens, outputTokens });
  }

  function callHome(answer: string): void | Promise<void> {
    if (resumeUrl === undefined) return undefined;
    const body = JSON.stringify(callbackPayload(state, answer));
    return ports.outbox.enqueue({ id: callbackId, url: resumeUrl, body });
  }

  /**
   * Events first, callback second, state third: a crash between them finds the end in the log and
   * repeats the rest, which changes nothing.
   */
  function settle(): Promise<void> | undefined {
    ports.logger.info(
      { ...fields(), status: state.status, events: state.lastSeq, ...state.usage },
      'stream ended',
    );
    const sealed = ports.log.seal();
    const answer =
      sealed instanceof Promise
        ? sealed.then(() => answerOf(ports.log, state.epoch))
        : answerOf(ports.log, state.epoch);
    if (!(answer instanceof Promise)) return keepEnd(answer);
    return answer.then(keepEnd);
  }

  function keepEnd(answer: string): Promise<void> | undefined {
    const kept = callHome(answer);
    const saved = kept instanceof Promise ? kept.then(saveEnd) : saveEnd();
    if (saved instanceof Promise) return saved.then(showEnd);
    showEnd();
    return undefined;
  }

  const saveState = () => ports.store.save(state);

  function saveEnd(): void | Promise<void> {
    endKept = true;
    return saveState();
  }

  function showEnd(): void {
    if (finalBatch !== undefined) publish(finalBatch, true);
    resolveSettled();
    ports.ended?.();
  }

  async function purge(): Promise<void> {
    const delivery = await ports.outbox.view(callbackId);
    if (delivery?.status === 'pending') {
      // The state endpoint goes on showing a callback that is still on its way.
      ports.alarm.set(ports.clock.nowMs() + Math.max(PURGE_RETRY_MS, state.times.retentionMs));
      return;
    }
    readers.endAll();
    if (resumeUrl !== undefined) await ports.outbox.forget(callbackId);
    await ports.log.drop();
    await ports.store.drop();
    ports.alarm.set(undefined);
    ports.purged();
  }

  if (origin === 'created') {
    const saved = ports.store.save(state);
    if (saved instanceof Promise) await saved;
    apply({ type: 'created' });
  } else {
    const head = await ports.log.head();
    const final = await finalOf(ports.log, head);
    if (head.seq > 0) shown = head;
    ended = final !== undefined;
    apply({ type: 'restored', log: head, ...(final === undefined ? {} : { final }) });
  }
  if (tail !== undefined) await tail;

  return {
    get status() {
      return state.status;
    },
    get readerCount() {
      return readers.count;
    },
    decide(after) {
      const decision = decideAttach({ ...shown, ended }, after);
      if (decision.type !== 'nothing-left' && readers.count >= (ports.maxReaders ?? Infinity)) {
        throw tooManyReaders();
      }
      return decision;
    },
    attach: (subscriber, afterSeq, gap = false) =>
      readers.attach(subscriber, afterSeq, ended, gap),
    detach: (subscriber) => readers.detach(subscriber),
    countRemoteReaders(count) {
      if (count === remoteReaders) return;
      remoteReaders = count;
      countReaders();
    },
    async cancel() {
      if (isEnded(state.status)) return;
      source?.flush();
      apply({ type: 'cancel' });
      await settled;
    },
    async interrupt() {
      if (isEnded(state.status) || isLost) return;
      source?.flush();
      apply({ type: 'interrupt', error: SHUTTING_DOWN });
      await settled;
    },
    handOver: leave,
    async wake() {
      await apply({ type: 'wake' });
    },
    async idle() {
      while (tail !== undefined) await tail;
    },
    async view() {
      const text = await answerOf(ports.log, shown.epoch);
      const callback = resumeUrl === undefined ? undefined : await ports.outbox.view(callbackId);
      return viewOf(state, text, shown, callback);
    },
  };
}

function tooManyReaders(): GatewayError {
  return new GatewayError('rate_limited', 'This stream has as many readers as it may have.', {
    details: { retryAfterSeconds: FULL_RETRY_SECONDS },
  });
}

/** Calls a port so that a refusal at once and a later one look the same. */
async function inPromise<T>(call: () => T | Promise<T>): Promise<T> {
  return call();
}

function asPromise(value: void | Promise<void>): Promise<void> | undefined {
  return value instanceof Promise ? value : undefined;
}
