import { expect, it, vi } from 'vitest';
import { createRecordingSubscriber } from '../testing/recording-subscriber.ts';
import type { EventPosition, StreamEvent } from './event.ts';
import { createMemoryLog } from './memory-log.ts';
import { createReaders } from './readers.ts';

const delta = (text: string): StreamEvent => ({ type: 'delta', text });
const RESTART: StreamEvent = { type: 'restart', reason: 'upstream_failed', model: 'second' };

it('STREAM-20: a reader whose epoch the log has left waits for the new one instead of failing', async () => {
  const log = createMemoryLog();
  let shown: EventPosition = { epoch: 7, seq: 2 };
  const failed = vi.fn();
  const readers = createReaders({
    log,
    shown: () => shown,
    async catchUp() {
      shown = { epoch: 8, seq: 2 };
    },
    model: () => 'second',
    changed: () => undefined,
    failed,
  });
  log.append({ epoch: 7, firstSeq: 1, events: [delta('a'), delta('b')] });
  log.append({ epoch: 8, firstSeq: 1, events: [RESTART, delta('c')] });
  const reader = createRecordingSubscriber();
  readers.attach(reader, 0, false, false);
  for (let turn = 0; turn < 20; turn += 1) await null;
  expect(failed).not.toHaveBeenCalled();
  expect(reader.events()).toMatchObject([
    { id: '8-1', type: 'restart' },
    { id: '8-2', text: 'c' },
  ]);
  expect(reader.ended).toBe(false);
});

it('STREAM-8: a reader of a gap in a stream that has said nothing is told so once', async () => {
  const log = createMemoryLog();
  let shown: EventPosition = { epoch: 7, seq: 0 };
  const readers = createReaders({
    log,
    shown: () => shown,
    model: () => 'first',
    changed: () => undefined,
    failed: () => undefined,
  });
  const reader = createRecordingSubscriber('sse-json');
  readers.attach(reader, 0, false, true);
  for (let turn = 0; turn < 5; turn += 1) await null;
  log.append({ epoch: 7, firstSeq: 1, events: [delta('a')] });
  shown = { epoch: 7, seq: 1 };
  readers.publish({ epoch: 7, firstSeq: 1, events: [delta('a')] }, false);
  expect(reader.events()).toEqual([
    { id: '', type: 'restart', reason: 'not_found', model: 'first' },
    { id: '7-1', type: 'delta', text: 'a' },
  ]);
});
