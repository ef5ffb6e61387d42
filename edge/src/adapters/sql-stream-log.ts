/** A stream log in a Durable Object's SQLite: one row a batch. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { StreamEvent } from '@headwater/shared/stream/event';
import type { StreamLog } from '@headwater/shared/stream/ports';

type Row = { first_seq: number; last_seq: number; epoch: number; events: string };

/**
 * Opens the log. Writes are synchronous; the object's output gate holds every message back until
 * they are durable (Durable Objects, "Output gates").
 */
export function createSqlStreamLog(sql: SqlStorage): StreamLog {
  const createTable = () =>
    sql.exec(
      'CREATE TABLE IF NOT EXISTS log (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, epoch INTEGER NOT NULL, events TEXT NOT NULL)',
    );
  createTable();

  const readHead = () => {
    const [row] = sql.exec<Row>('SELECT * FROM log ORDER BY first_seq DESC LIMIT 1').toArray();
    return row === undefined ? { epoch: 0, seq: 0 } : { epoch: row.epoch, seq: row.last_seq };
  };
  let head = readHead();

  return {
    append({ epoch, firstSeq, events }) {
      if (firstSeq !== head.seq + 1) {
        throw new GatewayError('conflict', 'Another writer appended to this stream.');
      }
      const lastSeq = firstSeq + events.length - 1;
      sql.exec(
        'INSERT INTO log (first_seq, last_seq, epoch, events) VALUES (?, ?, ?, ?)',
        firstSeq,
        lastSeq,
        epoch,
        JSON.stringify(events),
      );
      head = { epoch, seq: lastSeq };
    },
    read(afterSeq, limit) {
      const out: StreamEvent[] = [];
      const rows = sql.exec<Row>(
        'SELECT * FROM log WHERE last_seq > ? ORDER BY first_seq',
        afterSeq,
      );
      for (const row of rows) {
        const events = JSON.parse(row.events) as StreamEvent[];
        for (const event of events.slice(Math.max(0, afterSeq + 1 - row.first_seq))) {
          if (out.length === limit) return out;
          out.push(event);
        }
        if (out.length === limit) return out;
      }
      return out;
    },
    head: () => head,
    drop() {
      sql.exec('DROP TABLE log');
      createTable();
      head = { epoch: 0, seq: 0 };
    },
  };
}
