/** The events of ended streams in the origin's embedded database. */

import { packEvents, unpackEvents } from '@headwater/shared/stream/event-packing';
import type { EventKeeper } from '@headwater/shared/stream/memory-log';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Opens the logs; gives the keeper of one stream, which is one row. */
export function createSqliteSealedLogs(
  database: SqliteDatabase,
): (streamId: string) => EventKeeper {
  const upsert = database.prepare(
    'INSERT INTO sealed_logs (id, epoch, events) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, events = excluded.events',
  );
  const select = database.prepare('SELECT epoch, events FROM sealed_logs WHERE id = ?');
  const remove = database.prepare('DELETE FROM sealed_logs WHERE id = ?');
  return (streamId) => ({
    keep: ({ epoch, events }) =>
      database.group(() => {
        upsert.run(streamId, epoch, packEvents(events));
      }),
    load() {
      const row = select.get(streamId);
      if (row === undefined) return undefined;
      return { epoch: Number(row['epoch']), events: unpackEvents(String(row['events'])) };
    },
    drop: () =>
      database.group(() => {
        remove.run(streamId);
      }),
  });
}
