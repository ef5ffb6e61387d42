import { formatEventId } from '@headwater/shared/stream/event';
import { parseSse } from '@headwater/shared/testing/recording-subscriber';
import { expect, it } from 'vitest';
import { createSocketSubscriber } from './socket-subscriber.ts';
import { sseResponse } from './sse-response.ts';

function connect() {
  const { 0: near, 1: far } = new WebSocketPair();
  far.accept();
  return { response: sseResponse(near, { 'x-extra': '1' }), far };
}

const frame = (seq: number, text: string) => `id: ${formatEventId(7, seq)}\ndata: ${text}\n\n`;

it('FRAME-1: frames of the socket come out in order after `retry:`, and its close ends the answer', async () => {
  const { response, far } = connect();
  const reader = createSocketSubscriber(far, 'sse-text');
  for (let seq = 1; seq <= 50; seq += 1) reader.write(frame(seq, `t${seq}`));
  reader.end();
  const text = await response.text();
  expect(text).toMatch(/^retry: \d+\n\n/);
  expect(parseSse(text).map(({ data }) => data)).toEqual(
    Array.from({ length: 50 }, (_, at) => `t${at + 1}`),
  );
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(response.headers.get('x-extra')).toBe('1');
});

it('FRAME-7: an error of one reader is its last event and has no id', async () => {
  const { response, far } = connect();
  const reader = createSocketSubscriber(far, 'sse-json');
  reader.end({ code: 'unavailable', message: 'Too slow.' });
  const [error] = parseSse(await response.text());
  expect(error?.id).toBe('');
  expect(JSON.parse(error?.data ?? '')).toEqual({
    type: 'error',
    code: 'unavailable',
    message: 'Too slow.',
  });
});

it('STREAM-10: a reader that takes nothing is cut once more than 1 MiB waits, and its socket is closed', async () => {
  const { response, far } = connect();
  const closed = new Promise<void>((resolve) => far.addEventListener('close', () => resolve()));
  for (let seq = 1; seq <= 20; seq += 1) far.send(frame(seq, 'x'.repeat(100_000)));
  await closed;
  await expect(response.text()).rejects.toThrow();
});

it('STREAM-15: a reader that goes away closes its socket', async () => {
  const { response, far } = connect();
  const closed = new Promise<void>((resolve) => far.addEventListener('close', () => resolve()));
  await response.body?.cancel();
  far.send(frame(1, 'a'));
  await closed;
});

it('a socket that is closed already is written to without an error', () => {
  const { 0: near, 1: far } = new WebSocketPair();
  near.accept();
  far.accept();
  far.close(1000);
  const reader = createSocketSubscriber(far, 'ws');
  expect(reader.write('{}')).toBe(0);
  reader.end();
  reader.end({ code: 'unavailable', message: 'Too late.' });
});
