import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { newDelivery } from '@headwater/shared/callbacks/delivery';
import { createMemoryLog } from '@headwater/shared/stream/memory-log';
import { describeOutboxStoreContract } from '@headwater/shared/testing/outbox-store-contract';
import { aNewSession } from '@headwater/shared/testing/session-fixtures';
import { describeSessionStoreContract } from '@headwater/shared/testing/session-store-contract';
import { describeStreamLogContract } from '@headwater/shared/testing/stream-log-contract';
import { expect, it } from 'vitest';
import { createKvEventKeeper } from './kv-event-keeper.ts';
import { openLongTexts, VALUE_CHARS } from './kv-long-text.ts';
import { createKvOutboxStore } from './kv-outbox-store.ts';
import { createKvSessionStore, hasSession } from './kv-session-store.ts';
import { keepMarkLate } from './late-mark.ts';

/** The key-value table of an object of its own. */
const withKv = (test: (kv: SyncKvStorage) => Promise<void>): Promise<void> =>
  runInDurableObject(env.SESSIONS.get(env.SESSIONS.newUniqueId()), (_object, { storage }) =>
    test(storage.kv),
  );

const keysOf = (kv: SyncKvStorage) => [...kv.list()].map(([key]) => key);

describeStreamLogContract(
  'memory, sealed in the storage of a Durable Object',
  (test) =>
    withKv((kv) =>
      test({
        log: createMemoryLog(createKvEventKeeper(kv)),
        reopen: async () => {
          const keeper = createKvEventKeeper(kv);
          return createMemoryLog(keeper, await keeper.load());
        },
      }),
    ),
  { durable: true },
);

describeSessionStoreContract(
  'storage of a Durable Object',
  (test) =>
    withKv((kv) =>
      test({ store: createKvSessionStore(kv), reopen: () => createKvSessionStore(kv) }),
    ),
  { durable: true },
);

describeOutboxStoreContract(
  'storage of a Durable Object',
  (test) =>
    withKv((kv) => test({ store: createKvOutboxStore(kv), reopen: () => createKvOutboxStore(kv) })),
  { durable: true },
);

const WAVES = '\u{1F30A}'.repeat(VALUE_CHARS);

/** About 9 MB; wherever it is cut, a surrogate pair is in the way of a cut. */
const LONG_TEXT = `${WAVES}a${WAVES}${'漢'.repeat(4 * VALUE_CHARS)}`;

it('EDGE-1: a state far over the bound of a value comes back, and a short one after it', () =>
  withKv(async (kv) => {
    const long = aNewSession(0, { prompt: LONG_TEXT });
    await createKvSessionStore(kv).save(long);
    expect(await createKvSessionStore(kv).load()).toEqual(long);
    const keys = keysOf(kv).length;
    const short = aNewSession(0);
    await createKvSessionStore(kv).save(short);
    expect(await createKvSessionStore(kv).load()).toEqual(short);
    expect(keysOf(kv)).toEqual(['request', 'session']);
    expect(keys).toBeGreaterThan(8);
  }));

it('EDGE-1: a text of exactly the bound, and one over it, come back, half a pair at the end too', () =>
  withKv(async (kv) => {
    for (const text of ['', 'x'.repeat(VALUE_CHARS), `${'x'.repeat(VALUE_CHARS)}\ud83c`]) {
      openLongTexts(kv).put('t', text);
      expect(openLongTexts(kv).get('t') === text).toBe(true);
    }
    openLongTexts(kv).drop('t');
    expect(keysOf(kv)).toEqual([]);
  }));

it('EDGE-2: what a caller sent is written once, however often the state is saved', () =>
  withKv(async (kv) => {
    const store = createKvSessionStore(kv);
    const pending = aNewSession(0);
    await store.save(pending);
    kv.delete('request');
    await store.save({ ...pending, status: 'streaming', lastSeq: 3 });
    expect(keysOf(kv)).toEqual(['session']);
    expect(hasSession(kv)).toBe(true);
  }));

it('EDGE-1: a callback far over the bound of a value comes back, and nothing of it after its end', () =>
  withKv(async (kv) => {
    const callback = { id: 'm1', url: 'https://n8n.example/', body: JSON.stringify(LONG_TEXT) };
    const delivery = newDelivery(callback, 0);
    await createKvOutboxStore(kv).add(delivery);
    const store = createKvOutboxStore(kv);
    const [claim] = await store.claim(0, 60_000, 1);
    expect(claim?.state).toEqual(delivery);
    await store.drop('m1');
    expect(keysOf(kv)).toEqual([]);
    expect(await store.add({ ...delivery, body: '{}' })).toBe(true);
    expect(await store.get('m1')).toEqual({ ...delivery, body: '{}' });
  }));

it('OUTBOX-1: a callback that could not be kept whole leaves nothing, and can be kept later', () =>
  withKv(async (kv) => {
    let isFull = true;
    const full: SyncKvStorage = {
      get: (key) => kv.get(key),
      list: (options) => kv.list(options),
      delete: (key) => kv.delete(key),
      put(key, value) {
        if (isFull && key.startsWith('outbox:')) throw new Error('full');
        kv.put(key, value);
      },
    };
    const store = createKvOutboxStore(full);
    const delivery = newDelivery({ id: 'm1', url: 'https://n8n.example/', body: '{"a":1}' }, 0);
    expect(() => store.add(delivery)).toThrow('full');
    expect(keysOf(kv)).toEqual([]);
    expect(await store.nextDueMs()).toBeUndefined();
    isFull = false;
    expect(await store.add({ ...delivery, body: '{}' })).toBe(true);
    expect(await store.get('m1')).toEqual({ ...delivery, body: '{}' });
  }));

it('EDGE-1: the events of a long answer come back, in order', () =>
  withKv(async (kv) => {
    const events = Array.from({ length: 40 }, (_, at) => ({
      type: 'delta' as const,
      text: `${at}:${'漢'.repeat(100_000)}`,
    }));
    await createKvEventKeeper(kv).keep({ epoch: 7, events });
    expect(await createKvEventKeeper(kv).load()).toEqual({ epoch: 7, events });
    expect(keysOf(kv).length).toBeGreaterThan(7);
  }));

/** A store and a log that keep their marks late, and what waits for a later turn. */
function lateMarks(kv: SyncKvStorage) {
  const waiting: (() => void)[] = [];
  const kept = createKvSessionStore(kv);
  const { store, log } = keepMarkLate(kept, createMemoryLog(), (run) => waiting.push(run));
  const statusOf = async () => (await createKvSessionStore(kv).load())?.status;
  return { store, log, waiting, statusOf };
}

const pending = aNewSession(0);
const asked = { ...pending, status: 'streaming' } as const;
const firstBatch = {
  epoch: pending.epoch,
  firstSeq: 1,
  events: [{ type: 'delta', text: 'a' }],
} as const;

describeSessionStoreContract(
  'storage of a Durable Object, with late marks',
  (test) =>
    withKv((kv) => {
      const run = (later: () => void) => later();
      const { store } = keepMarkLate(createKvSessionStore(kv), createMemoryLog(), run);
      return test({ store, reopen: () => createKvSessionStore(kv) });
    }),
  { durable: true },
);

it('EDGE-3: the mark that a model was asked is kept a turn later', () =>
  withKv(async (kv) => {
    const { store, waiting, statusOf } = lateMarks(kv);
    await store.save(pending);
    await store.save(asked);
    expect(await statusOf()).toBe('pending');
    waiting.shift()?.();
    expect(await statusOf()).toBe('streaming');
  }));

it('EDGE-3: it is kept before the first event is', () =>
  withKv(async (kv) => {
    const { store, log, waiting, statusOf } = lateMarks(kv);
    await store.save(pending);
    await store.save(asked);
    await log.append(firstBatch);
    expect(await statusOf()).toBe('streaming');
    await store.save({ ...asked, status: 'completed' });
    waiting.shift()?.();
    expect(await statusOf()).toBe('completed');
  }));

it('EDGE-3: a later state takes its place', () =>
  withKv(async (kv) => {
    const { store, waiting, statusOf } = lateMarks(kv);
    await store.save(asked);
    await store.save({ ...asked, status: 'cancelled' });
    waiting.shift()?.();
    expect(await statusOf()).toBe('cancelled');
  }));

it('EDGE-3: a state that says more than that is kept at once', () =>
  withKv(async (kv) => {
    const { store, waiting, statusOf } = lateMarks(kv);
    await store.save({ ...asked, epoch: pending.epoch + 1, lastSeq: 1 });
    expect(await statusOf()).toBe('streaming');
    expect(waiting).toEqual([]);
    await store.save(asked);
    await store.drop();
    waiting.shift()?.();
    expect(await statusOf()).toBeUndefined();
  }));

it('EDGE-3: a mark that could not be kept is tried again before the first event, which it refuses', () =>
  withKv(async (kv) => {
    let isFull = true;
    const store = {
      ...createKvSessionStore(kv),
      save() {
        if (isFull) throw new Error('full');
      },
    };
    const waiting: (() => void)[] = [];
    const late = keepMarkLate(store, createMemoryLog(), (run) => waiting.push(run));
    await late.store.save(asked);
    waiting.shift()?.();
    expect(() => late.log.append(firstBatch)).toThrow('full');
    isFull = false;
    await late.log.append(firstBatch);
    expect(await late.log.head()).toEqual({ epoch: pending.epoch, seq: 1 });
  }));
