import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describeOutboxStoreContract } from '@headwater/shared/testing/outbox-store-contract';
import { describeSessionStoreContract } from '@headwater/shared/testing/session-store-contract';
import { describeStreamLogContract } from '@headwater/shared/testing/stream-log-contract';
import { createSqlOutboxStore } from './sql-outbox-store.ts';
import { createSqlSessionStore } from './sql-session-store.ts';
import { createSqlStreamLog } from './sql-stream-log.ts';

/** The SQLite of an object of its own. */
const withSql = (test: (sql: SqlStorage) => Promise<void>): Promise<void> =>
  runInDurableObject(env.SESSIONS.get(env.SESSIONS.newUniqueId()), (_object, { storage }) =>
    test(storage.sql),
  );

describeStreamLogContract(
  'SQLite of a Durable Object',
  (test) =>
    withSql((sql) => test({ log: createSqlStreamLog(sql), reopen: () => createSqlStreamLog(sql) })),
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
