/** The sessions of an origin that is one process: live in memory, kept in its data folder. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import { type StreamEngine, startEngine } from '@headwater/shared/stream/engine';
import { createMemoryLog, type EventKeeper } from '@headwater/shared/stream/memory-log';
import { createMemoryStore } from '@headwater/shared/stream/memory-store';
import type { MaybePromise, SessionStore } from '@headwater/shared/stream/ports';
import type { SessionState } from '@headwater/shared/stream/session-state';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { countTokens } from '@headwater/shared/text/count-tokens';
import type { SessionRuntime } from '../storage/origin-storage.ts';
import type { SessionRegistry } from './session-registry.ts';

/** Where sessions outlive the process. */
export interface SessionVault {
  store(streamId: string): SessionStore;
  keeper(streamId: string): EventKeeper;
  /** Sessions that have not ended. */
  live(): readonly string[];
  /** At most `limit` ended sessions whose retention is over. */
  overdue(nowMs: number, limit: number): readonly string[];
  /**
   * Keeps what `work` writes, here and in the outbox, or nothing of it. `work` MUST NOT wait, and
   * what its writes resolve to counts only once this has resolved.
   */
  asOne(work: () => void): MaybePromise<void>;
}

/** What the registry is wired to. */
export interface LocalRegistryPorts extends SessionRuntime {
  readonly vault: SessionVault;
}

/**
 * What a model says within this time goes out together, in ms: less than a screen's frame, and under
 * load a write for several tokens. The first token, and one after a pause, waits for nothing.
 */
const GATHER_MS = 10;

/** How often sessions that have ended leave the memory, and kept ones are forgotten, in ms. */
const SWEEP_MS = 5_000;

/** Kept sessions that one sweep looks at. */
const SWEEP_LIMIT = 500;

/** How often a closing registry looks whether its last answers have ended, in ms. */
const CLOSE_LOOK_MS = 50;

/** One session in memory. */
interface Entry {
  readonly engine: StreamEngine;
  /** Stops its timer. */
  sleep(): void;
}

/**
 * Makes the registry and brings back what a process before it left alive: a session that waited
 * goes on waiting, one that was being answered begins again.
 *
 * An ended session that nobody reads lives in the vault alone, and comes back when it is asked for.
 */
export async function createLocalRegistry(ports: LocalRegistryPorts): Promise<SessionRegistry> {
  const entries = new Map<string, Entry>();
  const opening = new Map<string, Promise<StreamEngine | undefined>>();
  let closing = false;
  let closed = false;

  async function start(state: SessionState, origin: 'created' | 'restored'): Promise<StreamEngine> {
    const { streamId } = state.request;
    const { vault } = ports;
    const mustKeep = state.request.isKept;
    const keeper = mustKeep ? vault.keeper(streamId) : undefined;
    let engine: StreamEngine | undefined;
    const alarm = createTimerAlarm(() => void engine?.wake());
    engine = await startEngine(
      state,
      {
        log: createMemoryLog(keeper, origin === 'restored' ? await keeper?.load() : undefined),
        store: mustKeep ? vault.store(streamId) : createMemoryStore(),
        ...(mustKeep ? { asOne: vault.asOne } : {}),
        outbox: ports.outbox,
        clock: ports.clock,
        alarm,
        logger: ports.logger,
        provider: ({ name }) => ports.registry.resolve(name).provider,
        countTokens,
        gatherMs: GATHER_MS,
        maxReaders: ports.maxReaders,
        maxBufferedBytes: ports.maxBufferedBytes,
        ended() {
          // Once whoever is told of the end has done with it.
          setImmediate(sleepAtRest, streamId);
          ports.ended(state);
        },
        purged: () => entries.delete(streamId),
      },
      origin,
    );
    entries.set(streamId, { engine, sleep: () => alarm.set(undefined) });
    return engine;
  }

  async function restore(streamId: string): Promise<StreamEngine | undefined> {
    const state = await ports.vault.store(streamId).load();
    return state === undefined ? undefined : start(state, 'restored');
  }

  /** One start at a time for each stream: two engines of one session would write over each other. */
  function open(
    streamId: string,
    begin: () => Promise<StreamEngine | undefined>,
  ): Promise<StreamEngine | undefined> {
    // An error would end an EventSource for good. Without an answer it comes back, once the process
    // is gone, to the next one.
    if (closed) return new Promise<never>(() => undefined);
    const entry = entries.get(streamId);
    if (entry !== undefined) return Promise.resolve(entry.engine);
    let opened = opening.get(streamId);
    if (opened === undefined) {
      opened = begin().finally(() => opening.delete(streamId));
      opening.set(streamId, opened);
    }
    return opened;
  }

  const get = (streamId: string) => open(streamId, () => restore(streamId));

  /** What the memory keeps for longer than a moment, the garbage collector has to copy twice. */
  function sleepAtRest(streamId: string): void {
    const entry = entries.get(streamId);
    if (entry === undefined || !entry.engine.isAtRest || entry.engine.readerCount > 0) return;
    entry.sleep();
    entries.delete(streamId);
  }

  function sleepEnded(): void {
    for (const streamId of entries.keys()) sleepAtRest(streamId);
  }

  async function sweep(): Promise<void> {
    sleepEnded();
    for (const streamId of ports.vault.overdue(ports.clock.nowMs(), SWEEP_LIMIT)) {
      if (closed) return;
      const engine = await bringBack(streamId);
      await engine?.wake();
    }
  }

  /** One session that cannot be read must not stand in the way of the others. */
  async function bringBack(streamId: string): Promise<StreamEngine | undefined> {
    try {
      return await get(streamId);
    } catch (err) {
      ports.logger.error({ streamId, err }, 'session could not be brought back');
      return undefined;
    }
  }

  const sweeper = setInterval(() => {
    sweep().catch((err: unknown) => ports.logger.error({ err }, 'sweep failed'));
  }, SWEEP_MS);
  sweeper.unref();

  for (const streamId of ports.vault.live()) await bringBack(streamId);

  const isStreaming = () =>
    [...entries.values()].some(({ engine }) => engine.status === 'streaming');

  return {
    async create(state) {
      if (closing) throw shuttingDown();
      const { streamId } = state.request;
      const begin = async () => (await restore(streamId)) ?? start(state, 'created');
      // A look that came first, and found nothing, must not count as the start.
      while ((await open(streamId, begin)) === undefined);
    },
    get,
    async close(graceMs) {
      closing = true;
      clearInterval(sweeper);
      const untilMs = ports.clock.nowMs() + graceMs;
      while (isStreaming() && ports.clock.nowMs() < untilMs) {
        await new Promise((resolve) => setTimeout(resolve, CLOSE_LOOK_MS));
      }
      closed = true;
      // What fails to start is nothing to hand over.
      await Promise.allSettled(opening.values());
      // An end that is just being kept is whole before it is left.
      await Promise.all([...entries.values()].map(({ engine }) => engine.idle()));
      for (const { engine } of entries.values()) engine.handOver();
      entries.clear();
    },
  };
}

function shuttingDown(): GatewayError {
  return new GatewayError('unavailable', 'The gateway is shutting down. Try again in a moment.', {
    details: { retryAfterSeconds: 5 },
  });
}
