/** The events of an ended stream in a Durable Object's SQLite. */

import type { StreamEvent } from '@headwater/shared/stream/event';
import { packEvents, unpackEvents } from '@headwater/shared/stream/event-packing';
import type { EventKeeper } from '@headwater/shared/stream/memory-log';
import { ROW_CHARS } from './sql-long-text.ts';

type Row = { epoch: number; events: string };

/** Opens the keeper: a few rows, each packed events, in order. */
export function createSqlEventKeeper(sql: SqlStorage): EventKeeper {
  sql.exec(
    'CREATE TABLE IF NOT EXISTS events (row INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, events TEXT NOT NULL)',
  );
  return {
    keep({ epoch, events }) {
      sql.exec('DELETE FROM events');
      for (const json of rowsOf(events)) {
        sql.exec('INSERT INTO events (epoch, events) VALUES (?, ?)', epoch, json);
      }
    },
    load() {
      const rows = sql.exec<Row>('SELECT epoch, events FROM events ORDER BY row').toArray();
      const [first] = rows;
      if (first === undefined) return undefined;
      const events = rows.flatMap((row) => unpackEvents(row.events));
      return { epoch: first.epoch, events };
    },
    drop() {
      sql.exec('DELETE FROM events');
    },
  };
}

/** An event alone is far below a row's bound: the vendor's own was at most 1 MiB. */
function* rowsOf(events: readonly StreamEvent[]): Generator<string> {
  let from = 0;
  let chars = 0;
  for (const [at, event] of events.entries()) {
    const length = event.type === 'delta' ? event.text.length : JSON.stringify(event).length;
    if (at > from && chars + length > ROW_CHARS) {
      yield packEvents(events.slice(from, at));
      from = at;
      chars = 0;
    }
    chars += length;
  }
  if (from < events.length) yield packEvents(events.slice(from));
}
