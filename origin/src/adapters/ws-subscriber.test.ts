import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { MAX_BUFFERED_BYTES } from '@headwater/shared/stream/readers';
import { describeSubscriberContract } from '@headwater/shared/testing/subscriber-contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createWsSubscriber } from './ws-subscriber.ts';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });

beforeAll(async () => {
  if (server.address() === null) await once(server, 'listening');
});

afterAll(async () => {
  for (const socket of server.clients) socket.terminate();
  server.close();
  await once(server, 'close');
});

/** A real connection: the server's end and its line, and what the client has of it. */
async function connect(): Promise<{ socket: WebSocket; line: Duplex; client: WebSocket }> {
  const arrived = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  client.on('error', () => undefined);
  const [socket, request] = await arrived;
  socket.on('error', () => undefined);
  if (client.readyState !== client.OPEN) await once(client, 'open');
  return { socket, line: request.socket, client };
}

/** Every message, and the code of the close. */
async function readAll(client: WebSocket): Promise<{ text: string; code: number; reason: string }> {
  let text = '';
  client.on('message', (message) => {
    text += String(message);
  });
  const [code, reason] = await once(client, 'close');
  return { text, code, reason: String(reason) };
}

const BIG_FRAME = 'x'.repeat(256 * 1024);

it('SOCKET-5: the end of the stream is the normal closure', async () => {
  const { socket, line, client } = await connect();
  const reading = readAll(client);
  const subscriber = createWsSubscriber(socket, line);
  subscriber.write('{"id":"7-1"}');
  subscriber.end();
  expect(await reading).toEqual({ text: '{"id":"7-1"}', code: 1000, reason: '' });
});

it('FRAME-7, SOCKET-6: an error of this reader is its last message, without an id, and the close code', async () => {
  const { socket, line, client } = await connect();
  const reading = readAll(client);
  createWsSubscriber(socket, line).end({ code: 'validation_failed', message: 'No.' });
  const { text, code, reason } = await reading;
  expect(JSON.parse(text)).toEqual({ type: 'error', code: 'validation_failed', message: 'No.' });
  expect([code, reason]).toEqual([4400, 'validation_failed']);
});

it('STREAM-10, SOCKET-8: what a reader has not taken is counted; cut, and reading on, it finds 4503', async () => {
  const { socket, line, client } = await connect();
  client.pause();
  const subscriber = createWsSubscriber(socket, line);
  let untaken = 0;
  for (let frames = 0; frames < 80 && untaken <= MAX_BUFFERED_BYTES; frames += 1) {
    untaken = subscriber.write(BIG_FRAME);
  }
  expect(untaken).toBeGreaterThan(MAX_BUFFERED_BYTES);
  const reading = readAll(client);
  subscriber.cut({ code: 'unavailable', message: 'Too slow.' });
  client.resume();
  expect(await reading).toMatchObject({ code: 4503, reason: 'unavailable' });
});

it('STREAM-10, SOCKET-8: cut, and taking nothing, it is dropped with what it left', async () => {
  const { socket, line, client } = await connect();
  client.pause();
  const subscriber = createWsSubscriber(socket, line, { cutGraceMs: 1 });
  while (subscriber.write(BIG_FRAME) <= MAX_BUFFERED_BYTES);
  subscriber.cut({ code: 'unavailable', message: 'Too slow.' });
  await once(socket, 'close');
  expect(line.destroyed).toBe(true);
  client.terminate();
});

it('STREAM-15: waiting for a reader ends when it goes away, and leaves no listener behind', async () => {
  const { socket, line, client } = await connect();
  client.pause();
  const subscriber = createWsSubscriber(socket, line);
  const listeners = line.listenerCount('close') + line.listenerCount('drain');
  while (subscriber.write(BIG_FRAME) <= MAX_BUFFERED_BYTES);
  const waiting = subscriber.drained();
  expect(waiting).toBeInstanceOf(Promise);
  client.terminate();
  await waiting;
  expect(line.listenerCount('close') + line.listenerCount('drain')).toBeLessThanOrEqual(listeners);
  expect(subscriber.drained()).toBeUndefined();
});

describeSubscriberContract('WebSocket of Node', async () => {
  const { socket, line, client } = await connect();
  return {
    subscriber: createWsSubscriber(socket, line, { format: 'sse-text' }),
    readAll: async () => (await readAll(client)).text,
    async leave() {
      const noticed = once(socket, 'close');
      client.terminate();
      await noticed;
    },
  };
});
