/**
 * A process that ends sessions in the folder of its argument, one transaction each, until it is
 * killed. It prints the number of each session whose end is kept.
 */

import { newDelivery } from '@headwater/shared/callbacks/delivery';
import { newSession } from '@headwater/shared/stream/session-state';
import { aStreamRequest } from '@headwater/shared/testing/session-fixtures';
import { openSqliteDatabase } from '../adapters/sqlite-database.ts';
import { createSqliteOutboxStore } from '../adapters/sqlite-outbox-store.ts';
import { createSqliteSessionVault } from '../adapters/sqlite-session-vault.ts';

const database = openSqliteDatabase(process.argv[2] ?? '');
const vault = createSqliteSessionVault(database, 'msg_');
const outbox = createSqliteOutboxStore(database);

for (let index = 0; ; index += 1) {
  const streamId = `s${index}`;
  const request = aStreamRequest({ streamId });
  const state = newSession(request, { ttlMs: 60_000, retentionMs: 600_000 }, Date.now());
  database.transact(() => {
    void vault.keeper(streamId).keep({
      epoch: 7,
      events: [{ type: 'delta', text: 'x'.repeat(20_000) }],
    });
    void outbox.add(
      newDelivery({ id: `msg_${streamId}`, url: 'https://n8n.example/', body: '{}' }, 0),
    );
    void vault.store(streamId).save({ ...state, status: 'completed' });
  });
  process.stdout.write(`${index}\n`);
}
