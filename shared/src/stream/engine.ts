/** Performs what a session decides: talks to the model, keeps the log, serves the readers. */

import { GatewayError, toGatewayError, toWireError, type WireError } from '../protocol/errors.ts';
import type { EnginePorts, StreamEngine } from './engine-ports.ts';
import { type EventBatch, type EventPosition, isFinal } from './event.ts';
import { answerOf, finalOf } from './log-reading.ts';
import { createModelSource, type ModelSource } from './model-source.ts';
import { createReaders } from './readers.ts';
import { decideAttach } from './resume-cursor.ts';
import { stepSession } from './session.ts';
import { createClosing } from './session-closing.ts';
import {
  isEnded,
  type SessionEffect,
  type SessionInput,
  type SessionState,
  targetOf,
} from './session-state.ts';
import { viewOf } from './stream-view.ts';

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

export type { EnginePorts, StreamEngine } from './engine-ports.ts';

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
  /** True once the log or the store refused before the end was kept. */
  let broken = false;
  /** Why the stream is over without a final event. */
  let unfinished: WireError | undefined;
  /** True once another host has the session. */
  let isLost = false;
  let remoteReaders = 0;
  let source: ModelSource | undefined;
  /** Effects that could not be done at once, in order. */
  let tail: Promise<void> | undefined;
  /** Inputs not yet performed: one that comes while another is performed waits for its turn. */
  const inputs: SessionInput[] = [];
  const { streamId } = state.request;
  const closing = createClosing(
    {
      log: ports.log,
      store: ports.store,
      outbox: ports.outbox,
      logger: ports.logger,
      countTokens: ports.countTokens,
      state: () => state,
      isLost: () => isLost,
      fields,
      ...(ports.asOne === undefined ? {} : { asOne: ports.asOne }),
    },
    origin === 'restored' && isEnded(initial.status),
  );
  const readers = createReaders({
    log: ports.log,
    shown: () => shown,
    // The log may have begun again before that is shown.
    async catchUp() {
      if (tail !== undefined) await tail;
    },
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
    inputs.push(input);
    if (inputs.length > 1) return tail;
    for (let at = 0; at < inputs.length; at += 1) step(inputs[at] ?? input);
    inputs.length = 0;
    return tail;
  }

  function step(input: SessionInput): void {
    const { state: decided, effects } = stepSession(state, input, ports.clock.nowMs());
    state = decided;
    for (const effect of effects) {
      if (tail !== undefined) chain(() => perform(effect, decided));
      else {
        const done = performNow(effect, decided);
        if (done !== undefined) chain(() => done);
      }
    }
  }

  /** A host that answers at once also refuses at once. */
  function performNow(effect: SessionEffect, decided: SessionState): Promise<void> | undefined {
    try {
      return perform(effect, decided);
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
    if (error.code === 'conflict') {
      lose(error);
      return;
    }
    ports.logger.error({ ...fields(), code: error.code, err: thrown }, 'session storage failed');
    source?.close();
    if (closing.isKept) {
      // A state that is not kept is found again in the log; the end itself stands.
      if (finalBatch !== undefined && !broken && !ended) showEnd();
      ports.alarm.set(ports.clock.nowMs() + PURGE_RETRY_MS);
      return;
    }
    if (broken) return;
    broken = true;
    const { ending: _counting, ...rest } = state;
    const wakeAtMs = ports.clock.nowMs() + state.times.retentionMs;
    state = { ...rest, status: 'failed', error: UNKEPT, wakeAtMs };
    unfinished = UNKEPT;
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

  async function keepBroken(): Promise<void> {
    await closing.keepBroken();
    if (isLost) return;
    resolveSettled();
    ports.ended?.();
  }

  /** `decided` is the state with the effect: what a later input made of it is not to be kept yet. */
  function perform(effect: SessionEffect, decided: SessionState): Promise<void> | undefined {
    if (isLost) return undefined;
    // What was decided before the failure is void; forgetting is not.
    if (broken && effect.type !== 'purge' && effect.type !== 'wake-at') return undefined;
    switch (effect.type) {
      case 'open-source':
        // An end decided while the state was being kept needs no model.
        if (state.ending === undefined && !isEnded(state.status)) openSource();
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
        return closing.keep(showEnd);
      case 'save':
        return asPromise(ports.store.save(decided));
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
    apply({ type: 'tokens-counted', ...(await closing.count()) });
  }

  function showEnd(): void {
    if (finalBatch !== undefined) publish(finalBatch, true);
    ended = true;
    resolveSettled();
    ports.ended?.();
  }

  /** Ends a live session; resolves once its end is kept. */
  async function endBy(input: SessionInput): Promise<void> {
    if (!isEnded(state.status)) {
      source?.flush();
      apply(input);
    }
    if (!closing.isKept) await settled;
  }

  async function purge(): Promise<void> {
    if (!(await closing.forget())) {
      // The state endpoint goes on showing a callback that is still on its way.
      ports.alarm.set(ports.clock.nowMs() + Math.max(PURGE_RETRY_MS, state.times.retentionMs));
      return;
    }
    readers.endAll();
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
    // An end that is not in the log: the host that decided it could not keep it.
    if (!ended && isEnded(initial.status)) {
      unfinished = initial.error ?? UNKEPT;
      readers.endAll(unfinished);
    }
    apply({ type: 'restored', log: head, ...(final === undefined ? {} : { final }) });
  }
  if (tail !== undefined) await tail;

  return {
    get status() {
      return state.status;
    },
    get isAtRest() {
      return closing.isAtRest;
    },
    get readerCount() {
      return readers.count;
    },
    decide(after) {
      const decision = decideAttach({ ...shown, ended, unfinished }, after);
      if (decision.type !== 'nothing-left' && readers.count >= (ports.maxReaders ?? Infinity)) {
        throw tooManyReaders();
      }
      return decision;
    },
    attach(subscriber, afterSeq, gap = false) {
      if (isLost) subscriber.end();
      else readers.attach(subscriber, afterSeq, ended, gap);
    },
    detach: (subscriber) => readers.detach(subscriber),
    countRemoteReaders(count) {
      if (count === remoteReaders) return;
      remoteReaders = count;
      countReaders();
    },
    async cancel() {
      await endBy({ type: 'cancel' });
    },
    async interrupt() {
      await endBy({ type: 'interrupt', error: SHUTTING_DOWN });
    },
    handOver: leave,
    async wake() {
      // It may stop the model.
      source?.flush();
      await apply({ type: 'wake' });
    },
    async idle() {
      while (tail !== undefined) await tail;
    },
    async view() {
      const text = await answerOf(ports.log, shown.epoch);
      return viewOf(state, text, shown, await closing.delivery());
    },
  };
}

function tooManyReaders(): GatewayError {
  return new GatewayError('rate_limited', 'This stream has as many readers as it may have.', {
    details: { retryAfterSeconds: FULL_RETRY_SECONDS },
  });
}

function asPromise(value: void | Promise<void>): Promise<void> | undefined {
  return value instanceof Promise ? value : undefined;
}
