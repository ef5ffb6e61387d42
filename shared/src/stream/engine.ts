/** Performs what a session decides: talks to the model, keeps the log, serves the readers. */

import { toGatewayError, toWireError, type WireError } from '../protocol/errors.ts';
import type { ModelProvider } from '../providers/contract.ts';
import { type EventBatch, type EventPosition, isFinal, type StreamStatus } from './event.ts';
import { answerOf, finalOf } from './log-reading.ts';
import { createModelSource } from './model-source.ts';
import type { Alarm, Clock, Logger, Outbox, SessionStore, StreamLog, Subscriber } from './ports.ts';
import { createReaders } from './readers.ts';
import { type AttachDecision, decideAttach } from './resume-cursor.ts';
import {
  callbackPayload,
  isEnded,
  type SessionEffect,
  type SessionInput,
  type SessionState,
  stepSession,
} from './session.ts';
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

/** What one session's engine is wired to. */
export interface EnginePorts {
  readonly log: StreamLog;
  readonly store: SessionStore;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly logger: Logger;
  /** The vendor of the session's request; throws `unavailable` where it is not wired. */
  provider(): ModelProvider;
  /** Tokens in a text, for vendors that give no usage. */
  countTokens(text: string): Promise<number>;
  /** What a model says within this time is appended together, in ms. Default 0: each read by itself. */
  readonly gatherMs?: number;
  /** The session has forgotten everything; its owner may drop it. */
  purged(): void;
}

/** One live session. */
export interface StreamEngine {
  /** Where a reader that has read up to `after` would begin; changes nothing. */
  decide(after: EventPosition | undefined): AttachDecision;
  /** Serves a reader after the given number until the end, its own departure, or a cut. */
  attach(subscriber: Subscriber, afterSeq: number): void;
  detach(subscriber: Subscriber): void;
  /** Stops the model and keeps what was said; resolves once the end is kept. */
  cancel(): Promise<void>;
  /** The host is going down: ends a live session with a clear error, so that its callback goes out. */
  interrupt(): Promise<void>;
  /** The alarm rang. */
  wake(): Promise<void>;
  view(): Promise<StreamView>;
  readonly status: StreamStatus;
  /** Resolves when every effect begun so far has ended. */
  idle(): Promise<void>;
}

/**
 * Starts the engine of a new session (`created`) or of one found in the store (`restored`).
 *
 * Effects run in the order decided. An append that is durable at once is published in the same
 * turn; one that is not holds back only what comes after it.
 */
export async function startEngine(
  initial: SessionState,
  ports: EnginePorts,
  origin: 'created' | 'restored',
): Promise<StreamEngine> {
  let state = initial;
  /** Number of the last event that is durable, and so may be shown. */
  let durableSeq = 0;
  let ended = false;
  /** True once the callback of the end is kept: from then on no failure can change what it says. */
  let endKept = origin === 'restored' && isEnded(initial.status);
  /** True once the log or the store refused before that. */
  let broken = false;
  /** Effects that could not be done at once, in order. */
  let tail: Promise<void> | undefined;
  const fields = { streamId: state.request.streamId, provider: state.request.provider };
  const callbackId = `msg_${state.request.streamId}`;
  const readers = createReaders({
    log: ports.log,
    epoch: () => state.epoch,
    head: () => durableSeq,
    failed: (thrown) => ports.logger.error({ ...fields, err: thrown }, 'replay failed'),
  });
  const source = createModelSource({
    provider: ports.provider,
    gatherMs: ports.gatherMs ?? 0,
    nowMs: ports.clock.nowMs,
    say: (events) => apply({ type: 'source-events', events }),
    ended: () => apply({ type: 'source-ended' }),
    failed(error, thrown) {
      ports.logger.warn({ ...fields, code: error.code, err: thrown }, 'model failed');
      apply({ type: 'source-failed', error: toWireError(error) });
    },
    behind: () => tail,
  });
  const { promise: settled, resolve: resolveSettled } = Promise.withResolvers<void>();

  function apply(input: SessionInput): Promise<void> | undefined {
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
    const error = toGatewayError(thrown);
    ports.logger.error({ ...fields, code: error.code, err: thrown }, 'session storage failed');
    source.close();
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

  /** Calls home with what can still be read of the answer, and keeps the state where it can be. */
  async function keepBroken(): Promise<void> {
    const warn = (what: string) => (cause: unknown) =>
      ports.logger.error({ ...fields, err: cause }, what);
    const answer = await inPromise(() => answerOf(ports.log)).catch(warn('answer is not readable'));
    await inPromise(() => ports.outbox.enqueue(callbackOf(answer ?? ''))).catch(
      warn('callback could not be kept'),
    );
    await inPromise(saveState).catch(warn('state could not be kept'));
    endKept = true;
    resolveSettled();
  }

  function perform(effect: SessionEffect): Promise<void> | undefined {
    // What was decided before the failure is void; forgetting is not.
    if (broken && effect.type !== 'purge' && effect.type !== 'wake-at') return undefined;
    switch (effect.type) {
      case 'open-source':
        source.open(state.request);
        return undefined;
      case 'close-source':
        source.close();
        return undefined;
      case 'append': {
        const done = ports.log.append(effect.batch);
        if (!(done instanceof Promise)) return publish(effect.batch);
        return done.then(() => publish(effect.batch));
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

  function publish(batch: EventBatch): undefined {
    durableSeq = batch.firstSeq + batch.events.length - 1;
    const last = batch.events[batch.events.length - 1];
    ended = last !== undefined && isFinal(last);
    readers.publish(batch, ended);
    return undefined;
  }

  async function countTokens(): Promise<void> {
    // What the model said before the end must be in the log before it is counted.
    if (tail !== undefined) await tail;
    const started = durableSeq > 0 || state.status === 'streaming';
    let inputTokens = 0;
    let outputTokens = 0;
    try {
      const prompt = state.request.messages.map((message) => message.content).join('\n');
      if (started) inputTokens = await ports.countTokens(prompt);
      outputTokens = await ports.countTokens((await answerOf(ports.log)) + state.heldText);
    } catch (thrown) {
      // A stream must end even where its tokens cannot be counted.
      ports.logger.error({ ...fields, err: thrown }, 'token count failed');
    }
    apply({ type: 'tokens-counted', inputTokens, outputTokens });
  }

  function callbackOf(answer: string) {
    return {
      id: callbackId,
      url: state.request.resumeUrl,
      body: JSON.stringify(callbackPayload(state, answer)),
    };
  }

  function settle(): Promise<void> | undefined {
    const answer = answerOf(ports.log);
    ports.logger.info(
      { ...fields, status: state.status, events: state.lastSeq, ...state.usage },
      'stream ended',
    );
    if (!(answer instanceof Promise)) return keepEnd(answer);
    return answer.then(keepEnd);
  }

  /** Callback first, state second: a crash between them repeats the enqueue, which changes nothing. */
  function keepEnd(answer: string): Promise<void> | undefined {
    const kept = ports.outbox.enqueue(callbackOf(answer));
    const saved = kept instanceof Promise ? kept.then(saveEnd) : saveEnd();
    if (saved instanceof Promise) return saved.then(resolveSettled);
    resolveSettled();
    return undefined;
  }

  const saveState = () => ports.store.save(state);

  function saveEnd(): void | Promise<void> {
    endKept = true;
    return saveState();
  }

  async function purge(): Promise<void> {
    const delivery = await ports.outbox.view(callbackId);
    if (delivery?.status === 'pending') {
      // The state endpoint goes on showing a callback that is still on its way.
      ports.alarm.set(ports.clock.nowMs() + Math.max(PURGE_RETRY_MS, state.times.retentionMs));
      return;
    }
    readers.endAll();
    await ports.outbox.forget(callbackId);
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
    durableSeq = head.seq;
    const final = await finalOf(ports.log, head.seq);
    ended = final !== undefined;
    apply({ type: 'restored', logSeq: head.seq, ...(final === undefined ? {} : { final }) });
  }
  if (tail !== undefined) await tail;

  return {
    get status() {
      return state.status;
    },
    decide: (after) => decideAttach({ epoch: state.epoch, seq: durableSeq, ended }, after),
    attach(subscriber, afterSeq) {
      readers.attach(subscriber, afterSeq, ended);
      apply({ type: 'reader-attached' });
    },
    detach: (subscriber) => readers.detach(subscriber),
    async cancel() {
      if (isEnded(state.status)) return;
      source.flush();
      apply({ type: 'cancel' });
      await settled;
    },
    async interrupt() {
      if (isEnded(state.status)) return;
      source.flush();
      apply({ type: 'source-failed', error: SHUTTING_DOWN });
      await settled;
    },
    async wake() {
      await apply({ type: 'wake' });
    },
    async idle() {
      while (tail !== undefined) await tail;
    },
    async view() {
      const text = await answerOf(ports.log);
      return viewOf(state, text, durableSeq, await ports.outbox.view(callbackId));
    },
  };
}

/** Calls a port so that a refusal at once and a later one look the same. */
async function inPromise<T>(call: () => T | Promise<T>): Promise<T> {
  return call();
}

function asPromise(value: void | Promise<void>): Promise<void> | undefined {
  return value instanceof Promise ? value : undefined;
}
