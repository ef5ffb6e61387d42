import { createMemoryLog } from '@headwater/shared/stream/memory-log';
import { describeOutboxStoreContract } from '@headwater/shared/testing/outbox-store-contract';
import { describeSessionStoreContract } from '@headwater/shared/testing/session-store-contract';
import { describeStreamLogContract } from '@headwater/shared/testing/stream-log-contract';
import { expect, it } from 'vitest';
import { withSqliteFolder } from '../testing/sqlite-folder.ts';
import { createSqliteOutboxStore } from './sqlite-outbox-store.ts';
import { createSqliteSealedLogs } from './sqlite-sealed-log.ts';
import { createSqliteSessionStores } from './sqlite-session-store.ts';

describeOutboxStoreContract(
  'node:sqlite',
  (test) =>
    withSqliteFolder(({ open }) =>
      test({
        store: createSqliteOutboxStore(open()),
        reopen: () => createSqliteOutboxStore(open()),
      }),
    ),
  { durable: true },
);

describeSessionStoreContract(
  'node:sqlite',
  (test) =>
    withSqliteFolder(async ({ open }) => {
      const store = () => createSqliteSessionStores(open(), 'msg_').of('s1');
      await test({ store: store(), reopen: store });
    }),
  { durable: true },
);

describeStreamLogContract(
  'memory, sealed in node:sqlite',
  (test) =>
    withSqliteFolder(({ open }) =>
      test({
        log: createMemoryLog(createSqliteSealedLogs(open())('s1')),
        reopen: async () => {
          const keeper = createSqliteSealedLogs(open())('s1');
          return createMemoryLog(keeper, await keeper.load());
        },
      }),
    ),
  { durable: true },
);

it('STREAM-16: sessions of one database do not disturb each other', () =>
  withSqliteFolder(async ({ open }) => {
    const logs = createSqliteSealedLogs(open());
    await logs('a').keep({ epoch: 1, events: [{ type: 'delta', text: 'é \ud83c' }] });
    await logs('b').keep({ epoch: 2, events: [] });
    await logs('b').drop();
    expect(await logs('a').load()).toEqual({
      epoch: 1,
      events: [{ type: 'delta', text: 'é \ud83c' }],
    });
    expect(await logs('b').load()).toBeUndefined();
  }));
