import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { createMemoryLog } from '@headwater/shared/stream/memory-log';
import { describeOutboxStoreContract } from '@headwater/shared/testing/outbox-store-contract';
import { describeSessionStoreContract } from '@headwater/shared/testing/session-store-contract';
import { describeStreamLogContract } from '@headwater/shared/testing/stream-log-contract';
import { createSqlEventKeeper } from './sql-event-keeper.ts';
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
