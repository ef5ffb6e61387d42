import { createOutbox } from '@headwater/shared/callbacks/outbox';
import type { SendCallback } from '@headwater/shared/callbacks/send';
import type { CallbackPayload } from '@headwater/shared/protocol/init-stream';
import { createProviderRegistry } from '@headwater/shared/providers/registry';
import { CALLBACK_ID_PREFIX } from '@headwater/shared/stream/callback-payload';
import { isEnded, type SessionState } from '@headwater/shared/stream/session-state';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { createRecordingSubscriber } from '@headwater/shared/testing/recording-subscriber';
import { createScriptedModel } from '@headwater/shared/testing/scripted-model';
import { aChatSession, aNewSession } from '@headwater/shared/testing/session-fixtures';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { countTokens } from '@headwater/shared/text/count-tokens';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { SqliteDatabase } from '../adapters/sqlite-database.ts';
import { createSqliteOutboxStore } from '../adapters/sqlite-outbox-store.ts';
import { createSqliteSessionVault } from '../adapters/sqlite-session-vault.ts';
import { withSqliteFolder } from '../testing/sqlite-folder.ts';
import { createLocalRegistry, type SessionVault } from './local-registry.ts';
import type { SessionHandle, SessionRegistry } from './session-registry.ts';

const TTL_MS = 60_000;
const RETENTION_MS = 600_000;
const SWEEP_MS = 5_000;

// The tokenizer's table is loaded at its first use.
beforeAll(() => countTokens('warm'));

beforeEach(() => {
  // The database commits with the real event loop, and by this clock it decides when.
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
    now: Date.UTC(2030, 0, 1),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Lets everything that waits for no timer happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

async function advance(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settle();
}

type Wrap = (vault: SessionVault) => SessionVault;

/** One process on a database: wired as the gateway does, with a model and a receiver of its own. */
async function startProcess(database: SqliteDatabase, wrap: Wrap = (vault) => vault) {
  const model = createScriptedModel();
  const logger = createSilentLogger();
  const clock = { nowMs: () => Date.now() };
  const callbacks: CallbackPayload[] = [];
  const ended: string[] = [];
  const receiver: { answer: Awaited<ReturnType<SendCallback>> } = {
    answer: { type: 'delivered', status: 200 },
  };
  const outbox = createOutbox({
    store: createSqliteOutboxStore(database),
    async send({ body }) {
      callbacks.push(JSON.parse(body) as CallbackPayload);
      return receiver.answer;
    },
    clock,
    alarm: createTimerAlarm(() => void outbox.wake()),
    logger,
    random: () => 0,
  });
  const sessions = await createLocalRegistry({
    vault: wrap(createSqliteSessionVault(database, CALLBACK_ID_PREFIX)),
    registry: createProviderRegistry({ providers: { echo: model.provider } }),
    outbox,
    clock,
    logger,
    maxReaders: 10,
    maxBufferedBytes: 1_000_000,
    ended: ({ request }) => void ended.push(request.streamId),
  });
  await outbox.rearm();
  await settle();
  return { sessions, model, logger, callbacks, ended, receiver };
}

type Process = Awaited<ReturnType<typeof startProcess>>;

/** Runs a test with a first process; `restart` kills the one before, with all its timers. */
async function withProcess(
  test: (subject: {
    first: Process;
    database(): SqliteDatabase;
    restart(): Promise<Process>;
  }) => Promise<void>,
  wrap?: Wrap,
): Promise<void> {
  await withSqliteFolder(async ({ open }) => {
    let database = open();
    await test({
      first: await startProcess(database, wrap),
      database: () => database,
      async restart() {
        const nowMs = Date.now();
        // It sets the clock back, too.
        vi.clearAllTimers();
        vi.setSystemTime(nowMs);
        database = open();
        return startProcess(database);
      },
    });
  });
}

const aSession = (changes: Parameters<typeof aNewSession>[1] = {}): SessionState =>
  aNewSession(Date.now(), changes, { ttlMs: TTL_MS, retentionMs: RETENTION_MS });

async function find(sessions: SessionRegistry, streamId = 's1'): Promise<SessionHandle> {
  const session = await sessions.get(streamId);
  if (session === undefined) throw new Error(`there is no ${streamId}`);
  return session;
}

async function read(sessions: SessionRegistry, streamId?: string) {
  const reader = createRecordingSubscriber();
  (await find(sessions, streamId)).attach(reader, 0);
  await settle();
  return reader;
}

const typesOf = (reader: Awaited<ReturnType<typeof read>>) =>
  reader.events().map(({ type }) => type);

/** Lets the model say a whole answer. */
async function answer({ model }: Process, text = 'All of it.'): Promise<void> {
  model.text(text);
  model.say({ type: 'usage', inputTokens: 3, outputTokens: 4 }, { type: 'finish', reason: 'stop' });
  model.end();
  await settle();
  await advance(20);
}

function rowsOf(database: SqliteDatabase): number {
  const counts = ['sessions', 'sealed_logs', 'outbox'].map((table) =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

it('STREAM-3: a session that nobody reads expires after its TTL, and calls back', () =>
  withProcess(async ({ first }) => {
    await first.sessions.create(aSession());
    await advance(TTL_MS - 1);
    expect((await find(first.sessions)).status).toBe('pending');
    await advance(1);
    expect((await find(first.sessions)).status).toBe('expired');
    await advance(1);
    expect(first.callbacks).toMatchObject([{ streamId: 's1', status: 'expired' }]);
    expect(first.model.requests).toEqual([]);
    expect(first.ended).toEqual(['s1']);
  }));

it('STREAM-4: after its retention nothing of a session is left, in memory, on disk or in timers', () =>
  withProcess(async ({ first, database }) => {
    const idle = vi.getTimerCount();
    await first.sessions.create(aSession({ start: 'now' }));
    await answer(first);
    await advance(RETENTION_MS - SWEEP_MS);
    expect(await first.sessions.get('s1')).toBeDefined();
    await advance(2 * SWEEP_MS);
    expect(rowsOf(database())).toBe(0);
    expect(await first.sessions.get('s1')).toBeUndefined();
    expect(vi.getTimerCount()).toBe(idle);
    await first.sessions.close(0);
    expect(vi.getTimerCount()).toBe(0);
  }));

it('STREAM-4: one that nobody looked at since its end is forgotten too', () =>
  withProcess(async ({ first, database }) => {
    await first.sessions.create(aSession({ start: 'now' }));
    await answer(first);
    await advance(RETENTION_MS + 2 * SWEEP_MS);
    expect(rowsOf(database())).toBe(0);
  }));

it('STREAM-4: one whose callback is still on its way is kept until that is over', () =>
  withProcess(async ({ first, database }) => {
    first.receiver.answer = { type: 'retry', status: 503 };
    await first.sessions.create(aSession({ start: 'now' }));
    await answer(first);
    await advance(RETENTION_MS + 2 * SWEEP_MS);
    expect((await (await find(first.sessions)).view()).callback).toMatchObject({
      status: 'pending',
      lastStatus: 503,
    });
    first.receiver.answer = { type: 'delivered', status: 200 };
    await advance(2 * RETENTION_MS);
    expect(rowsOf(database())).toBe(0);
  }));

it('STREAM-4: an ended session that nobody reads leaves the memory, and comes back when asked for', () =>
  withProcess(async ({ first }) => {
    const idle = vi.getTimerCount();
    await first.sessions.create(aSession({ start: 'now' }));
    const live = await read(first.sessions);
    const before = await find(first.sessions);
    await answer(first);
    await advance(SWEEP_MS);
    expect(vi.getTimerCount()).toBe(idle);
    const [one, two] = await Promise.all([find(first.sessions), find(first.sessions)]);
    expect(one).not.toBe(before);
    expect(two).toBe(one);
    expect((await read(first.sessions)).frames).toEqual(live.frames);
    expect(first.ended).toEqual(['s1']);
    await advance(1);
    expect(first.callbacks).toHaveLength(1);
  }));

it('STREAM-4: a session leaves the memory with its end, unless a slow reader is still there', () =>
  withProcess(async ({ first }) => {
    const idle = vi.getTimerCount();
    await first.sessions.create(aSession({ start: 'now' }));
    const begun = await find(first.sessions);
    const reader = await read(first.sessions);
    await answer(first);
    expect(reader.ended).toBe(true);
    await advance(1);
    expect(vi.getTimerCount()).toBe(idle);
    expect(await find(first.sessions)).not.toBe(begun);
    await first.sessions.create({ ...aSession({ streamId: 's2', start: 'now' }) });
    const other = await find(first.sessions, 's2');
    const slow = createRecordingSubscriber();
    first.model.text('x'.repeat(100_000));
    await settle();
    slow.stall();
    other.attach(slow, 0);
    await answer(first);
    await advance(1);
    expect(await find(first.sessions, 's2')).toBe(other);
    slow.take();
    await advance(SWEEP_MS);
    expect(await find(first.sessions, 's2')).not.toBe(other);
  }));

it('STREAM-10: an ended session stays in memory while a slow reader is on its way through it', () =>
  withProcess(async ({ first }) => {
    await first.sessions.create(aSession({ start: 'now' }));
    await answer(first, 'x'.repeat(100_000));
    const before = await find(first.sessions);
    const slow = createRecordingSubscriber();
    slow.stall();
    before.attach(slow, 0);
    await advance(3 * SWEEP_MS);
    expect(slow.ended).toBe(false);
    expect(await find(first.sessions)).toBe(before);
    slow.take();
    await settle();
    expect(slow.ended).toBe(true);
    await advance(SWEEP_MS);
    expect(await find(first.sessions)).not.toBe(before);
  }));

it('STREAM-17: an end that the disk refused stays in memory, and begins no second time', () =>
  withProcess(
    async ({ first }) => {
      await first.sessions.create(aSession({ start: 'now' }));
      await answer(first);
      const before = await find(first.sessions);
      expect(before.status).toBe('failed');
      await advance(3 * SWEEP_MS);
      expect(await find(first.sessions)).toBe(before);
      expect(first.model.requests).toHaveLength(1);
      expect(first.callbacks).toMatchObject([{ status: 'failed' }]);
    },
    (vault) => ({
      ...vault,
      keeper: (streamId) => ({
        ...vault.keeper(streamId),
        keep() {
          throw new Error('full');
        },
      }),
      store(streamId) {
        const store = vault.store(streamId);
        const save: typeof store.save = (state) => {
          if (isEnded(state.status)) throw new Error('full');
          return store.save(state);
        };
        return { ...store, save };
      },
    }),
  ));

it('IDEM-3: created twice, one after the other or at once, a session starts once', () =>
  withProcess(async ({ first }) => {
    const { sessions, model } = first;
    const state = aSession({ start: 'now' });
    const [missed, looked] = await Promise.all([
      sessions.get('s1'),
      sessions.create(state).then(() => sessions.get('s1')),
      sessions.create(state),
    ]);
    await sessions.create(aSession({ start: 'now', prompt: 'another' }));
    await settle();
    expect(missed).toBeUndefined();
    expect(looked).toBe(await find(sessions));
    expect(model.requests).toHaveLength(1);
    await answer(first);
    await advance(SWEEP_MS);
    await sessions.create(state);
    expect((await find(sessions)).status).toBe('completed');
    expect(model.requests).toHaveLength(1);
  }));

it('STREAM-16: after a crash a pending session goes on waiting, until its own time', () =>
  withProcess(async ({ first, restart }) => {
    await first.sessions.create(aSession());
    await advance(TTL_MS - 1_000);
    const second = await restart();
    expect((await find(second.sessions)).status).toBe('pending');
    await advance(999);
    expect((await find(second.sessions)).status).toBe('pending');
    await advance(1);
    expect((await find(second.sessions)).status).toBe('expired');
    expect(second.model.requests).toEqual([]);
  }));

it('STREAM-3: a session whose time ended while no process was there expires at the start', () =>
  withProcess(async ({ first, restart }) => {
    await first.sessions.create(aSession());
    vi.setSystemTime(Date.now() + 2 * TTL_MS);
    const second = await restart();
    await advance(1);
    expect((await find(second.sessions)).status).toBe('expired');
    await advance(1);
    expect(second.callbacks).toMatchObject([{ status: 'expired' }]);
  }));

it('STREAM-20: after a crash a session that was being answered begins again by itself', () =>
  withProcess(async ({ first, restart }) => {
    await first.sessions.create(aSession());
    const before = await read(first.sessions);
    first.model.text('half ');
    await advance(20);
    expect(before.text()).toBe('half ');
    const second = await restart();
    expect(second.model.requests).toHaveLength(1);
    const after = await read(second.sessions);
    await answer(second);
    expect(typesOf(after)).toEqual(['restart', 'delta', 'usage', 'done']);
    expect(after.text()).toBe('All of it.');
    await advance(1);
    expect(second.callbacks).toMatchObject([{ status: 'completed', answer: 'All of it.' }]);
    expect(first.callbacks).toEqual([]);
  }));

it('STREAM-16: after a crash an ended session is replayed, and its callback is not repeated', () =>
  withProcess(async ({ first, restart }) => {
    await first.sessions.create(aSession());
    const live = await read(first.sessions);
    await answer(first);
    await advance(1);
    const second = await restart();
    expect((await read(second.sessions)).frames).toEqual(live.frames);
    await advance(SWEEP_MS);
    expect(second.model.requests).toEqual([]);
    expect([first.callbacks.length, second.callbacks.length]).toEqual([1, 0]);
  }));

it('STREAM-16: a session that cannot be read stands in the way of no other', () =>
  withProcess(async ({ first, database, restart }) => {
    for (const streamId of ['s1', 's2', 's3']) await first.sessions.create(aSession({ streamId }));
    database().prepare("UPDATE sessions SET state = '{' WHERE id IN ('s1', 's2')").run();
    database().prepare("UPDATE sessions SET ended = 1, wake_at = 0 WHERE id = 's2'").run();
    const second = await restart();
    expect((await find(second.sessions, 's3')).status).toBe('pending');
    await advance(TTL_MS + RETENTION_MS + 2 * SWEEP_MS);
    expect(await second.sessions.get('s3')).toBeUndefined();
    await expect(second.sessions.get('s1')).rejects.toThrow();
    const streamIds = second.logger.lines
      .filter(({ message }) => message === 'session could not be brought back')
      .map(({ fields }) => fields['streamId']);
    expect(new Set(streamIds)).toEqual(new Set(['s1', 's2']));
  }));

it('STREAM-18: a registry that closes takes no session, and waits for an answer to end', () =>
  withProcess(async ({ first, restart }) => {
    await first.sessions.create(aSession());
    const reader = await read(first.sessions);
    let isClosed = false;
    const closing = first.sessions.close(30_000).then(() => {
      isClosed = true;
    });
    await expect(first.sessions.create(aSession({ streamId: 's2' }))).rejects.toMatchObject({
      code: 'unavailable',
      details: { retryAfterSeconds: 5 },
    });
    await advance(10_000);
    expect(isClosed).toBe(false);
    await answer(first);
    await advance(100);
    expect(isClosed).toBe(true);
    await closing;
    expect(typesOf(reader)).toEqual(['delta', 'usage', 'done']);
    const second = await restart();
    expect((await find(second.sessions)).status).toBe('completed');
    expect(second.model.requests).toEqual([]);
  }));

it('STREAM-18: what is live after the grace time is left to the process that comes next', () =>
  withProcess(async ({ first, restart }) => {
    await first.sessions.create(aSession());
    await first.sessions.create(aSession({ streamId: 's2' }));
    const reader = await read(first.sessions);
    first.model.text('half');
    await advance(20);
    const closing = first.sessions.close(1_000);
    await advance(1_100);
    await closing;
    expect(first.model.aborted).toBe(true);
    expect(reader.ended).toBe(true);
    expect(reader.endError).toBeUndefined();
    expect(typesOf(reader)).toEqual(['delta']);
    expect(vi.getTimerCount()).toBe(0);
    const second = await restart();
    expect((await find(second.sessions, 's2')).status).toBe('pending');
    const again = await read(second.sessions);
    await answer(second);
    expect(typesOf(again)).toEqual(['restart', 'delta', 'usage', 'done']);
    expect(first.callbacks).toEqual([]);
  }));

it('STREAM-18: an end that is just being kept when the grace time is over is shown', () =>
  withProcess(async ({ first, restart }) => {
    await first.sessions.create(aSession());
    const reader = await read(first.sessions);
    const session = await find(first.sessions);
    first.model.say(
      { type: 'usage', inputTokens: 3, outputTokens: 4 },
      { type: 'finish', reason: 'length' },
    );
    first.model.end();
    for (let turn = 0; session.status === 'streaming'; turn += 1) {
      expect(turn).toBeLessThan(100);
      await Promise.resolve();
    }
    expect(reader.ended).toBe(false);
    const closing = first.sessions.close(0);
    await settle();
    await closing;
    expect(typesOf(reader)).toEqual(['usage', 'done']);
    const second = await restart();
    expect((await find(second.sessions)).status).toBe('completed');
  }));

it('STREAM-18: a reader that comes back to a process that has closed begins nothing there', () =>
  withProcess(async ({ first, restart }) => {
    await first.sessions.create(aSession({ start: 'now' }));
    const closing = first.sessions.close(0);
    await advance(100);
    await closing;
    let isAnswered = false;
    void first.sessions.get('s1').then(() => {
      isAnswered = true;
    });
    await advance(3 * SWEEP_MS);
    expect(isAnswered).toBe(false);
    expect(first.model.requests).toHaveLength(1);
    const second = await restart();
    expect(second.model.requests).toHaveLength(1);
  }));

it('STREAM-28: a session that is not kept leaves nothing on disk, and leaves the memory', () =>
  withProcess(async ({ first, database, restart }) => {
    await first.sessions.create(aChatSession(Date.now(), 's1'));
    const reader = await read(first.sessions);
    await answer(first);
    expect(reader.text()).toBe('All of it.');
    expect(reader.ended).toBe(true);
    expect(rowsOf(database())).toBe(0);
    await advance(2 * SWEEP_MS);
    expect(await first.sessions.get('s1')).toBeUndefined();

    await first.sessions.create(aChatSession(Date.now(), 's1'));
    await read(first.sessions);
    const { sessions, model } = await restart();
    expect(await sessions.get('s1')).toBeUndefined();
    expect(model.requests).toHaveLength(0);
  }));
