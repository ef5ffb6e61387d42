import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { newDelivery } from '@headwater/shared/callbacks/delivery';
import { createMemoryLog } from '@headwater/shared/stream/memory-log';
import { describeOutboxStoreContract } from '@headwater/shared/testing/outbox-store-contract';
import { aNewSession } from '@headwater/shared/testing/session-fixtures';
import { describeSessionStoreContract } from '@headwater/shared/testing/session-store-contract';
import { describeStreamLogContract } from '@headwater/shared/testing/stream-log-contract';
import { expect, it } from 'vitest';
import { createSqlEventKeeper } from './sql-event-keeper.ts';
import { ROW_CHARS } from './sql-long-text.ts';
import { createSqlOutboxStore } from './sql-outbox-store.ts';
import { createSqlSessionStore } from './sql-session-store.ts';

/** The SQLite of an object of its own. */
const withSql = (test: (sql: SqlStorage) => Promise<void>): Promise<void> =>
  runInDurableObject(env.SESSIONS.get(env.SESSIONS.newUniqueId()), (_object, { storage }) =>
    test(storage.sql),
  );

describeStreamLogContract(
  'memory, sealed in SQLite of a Durable Object',
  (test) =>
    withSql((sql) =>
      test({
        log: createMemoryLog(createSqlEventKeeper(sql)),
        reopen: async () => {
          const keeper = createSqlEventKeeper(sql);
          return createMemoryLog(keeper, await keeper.load());
        },
      }),
    ),
  { durable: true },
);

describeSessionStoreContract(
  'SQLite of a Durable Object',
  (test) =>
    withSql((sql) =>
      test({ store: createSqlSessionStore(sql), reopen: () => createSqlSessionStore(sql) }),
    ),
  { durable: true },
);

describeOutboxStoreContract(
  'SQLite of a Durable Object',
  (test) =>
    withSql((sql) =>
      test({ store: createSqlOutboxStore(sql), reopen: () => createSqlOutboxStore(sql) }),
    ),
  { durable: true },
);

const WAVES = '\u{1F30A}'.repeat(ROW_CHARS);

/** About 9 MB of UTF-8; wherever its rows are cut, a surrogate pair is in the way of one. */
const LONG_TEXT = `${WAVES}a${WAVES}${'漢'.repeat(9 * ROW_CHARS)}`;

it('EDGE-1: a state far over the bound of a value comes back, and a short one after it', () =>
  withSql(async (sql) => {
    const long = aNewSession(0, { prompt: LONG_TEXT });
    await createSqlSessionStore(sql).save(long);
    expect(await createSqlSessionStore(sql).load()).toEqual(long);
    const short = aNewSession(0);
    await createSqlSessionStore(sql).save(short);
    expect(await createSqlSessionStore(sql).load()).toEqual(short);
  }));

it('EDGE-1: a callback far over the bound of a value comes back, and nothing of it after its end', () =>
  withSql(async (sql) => {
    const callback = { id: 'm1', url: 'https://n8n.example/', body: JSON.stringify(LONG_TEXT) };
    const delivery = newDelivery(callback, 0);
    await createSqlOutboxStore(sql).add(delivery);
    const store = createSqlOutboxStore(sql);
    const [claim] = await store.claim(0, 60_000, 1);
    expect(claim?.state).toEqual(delivery);
    await store.drop('m1');
    expect(await store.add({ ...delivery, body: '{}' })).toBe(true);
    expect(await store.get('m1')).toEqual({ ...delivery, body: '{}' });
  }));

it('OUTBOX-1: a callback that could not be kept whole leaves nothing, and can be kept later', () =>
  withSql(async (sql) => {
    let isFull = true;
    const full = {
      exec(query: string, ...values: SqlStorageValue[]) {
        if (isFull && query.startsWith('INSERT INTO outbox (')) throw new Error('full');
        return sql.exec(query, ...values);
      },
    } as SqlStorage;
    const store = createSqlOutboxStore(full);
    const delivery = newDelivery({ id: 'm1', url: 'https://n8n.example/', body: '{"a":1}' }, 0);
    expect(() => store.add(delivery)).toThrow('full');
    expect(await store.nextDueMs()).toBeUndefined();
    isFull = false;
    expect(await store.add({ ...delivery, body: '{}' })).toBe(true);
    expect(await store.get('m1')).toEqual({ ...delivery, body: '{}' });
  }));

it('EDGE-1: the events of a long answer come back, in order', () =>
  withSql(async (sql) => {
    const events = Array.from({ length: 40 }, (_, at) => ({
      type: 'delta' as const,
      text: `${at}:${'漢'.repeat(100_000)}`,
    }));
    await createSqlEventKeeper(sql).keep({ epoch: 7, events });
    expect(await createSqlEventKeeper(sql).load()).toEqual({ epoch: 7, events });
    expect(sql.exec('SELECT count(*) AS rows FROM events').one()).toEqual({ rows: 20 });
  }));
