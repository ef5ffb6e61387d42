import { formatEventId } from '@headwater/shared/stream/event';
import { parseSse } from '@headwater/shared/testing/recording-subscriber';
import { describeSubscriberContract } from '@headwater/shared/testing/subscriber-contract';
import { expect, it } from 'vitest';
import { createSocketSubscriber } from './socket-subscriber.ts';
import { sseResponse } from './sse-response.ts';

function connect() {
  const { 0: near, 1: far } = new WebSocketPair();
  far.accept();
  return { response: sseResponse(near), far };
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

it('STREAM-10: a reader that takes nothing is cut once more than 4 MiB wait in the Worker, and its socket is closed', async () => {
  const { response, far } = connect();
  const closed = new Promise<void>((resolve) => far.addEventListener('close', () => resolve()));
  for (let seq = 1; seq <= 60; seq += 1) far.send(frame(seq, 'x'.repeat(100_000)));
  await closed;
  await expect(response.text()).rejects.toThrow();
});

it('STREAM-10: the object learns what the reader took, and waits for no more than that', async () => {
  const { response, far } = connect();
  const subscriber = createSocketSubscriber(far, 'sse-text');
  far.addEventListener('message', ({ data }) => subscriber.acknowledge(Number(data)));
  const chunk = frame(1, 'x'.repeat(100_000));
  for (let count = 1; count <= 3; count += 1) {
    expect(subscriber.write(chunk)).toBe(count * chunk.length);
  }
  let isDrained = false;
  const drained = Promise.resolve(subscriber.drained()).then(() => {
    isDrained = true;
  });
  await Promise.resolve();
  expect(isDrained).toBe(false);
  const reading = response.text();
  await drained;
  expect(subscriber.write(chunk)).toBeLessThan(2 * chunk.length);
  subscriber.end();
  expect((await reading).length).toBeGreaterThan(4 * chunk.length);
});

it('STREAM-10: who waits for a reader that leaves waits no longer', async () => {
  const { far } = connect();
  const subscriber = createSocketSubscriber(far, 'sse-text');
  subscriber.write('x'.repeat(100_000));
  const drained = subscriber.drained();
  subscriber.left();
  await expect(drained).resolves.toBeUndefined();
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
  expect(reader.write('{}')).toBe(2);
  reader.end();
  reader.end({ code: 'unavailable', message: 'Too late.' });
});

describeSubscriberContract('socket to the Worker and its answer', async () => {
  const { response, far } = connect();
  const subscriber = createSocketSubscriber(far, 'sse-text');
  far.addEventListener('message', ({ data }) => subscriber.acknowledge(Number(data)));
  const closed = new Promise<void>((resolve) => {
    far.addEventListener('close', () => {
      subscriber.left();
      resolve();
    });
  });
  return {
    subscriber,
    readAll: () => response.text(),
    async leave() {
      await response.body?.cancel();
      far.send(': noticed at the next write\n\n');
      await closed;
    },
  };
});
