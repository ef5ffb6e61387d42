import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect as connectTo } from 'node:net';
import { SSE_PREAMBLE } from '@headwater/shared/stream/frames';
import type { Subscriber } from '@headwater/shared/stream/ports';
import { MAX_BUFFERED_BYTES } from '@headwater/shared/stream/readers';
import { parseSse } from '@headwater/shared/testing/recording-subscriber';
import { describeSubscriberContract } from '@headwater/shared/testing/subscriber-contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSseSubscriber } from './sse-subscriber.ts';

let onRequest: (response: ServerResponse) => void;
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  onRequest(response);
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** A real connection: the server's response, and what the client has of it. */
async function connect(): Promise<{ response: ServerResponse; client: IncomingMessage }> {
  const arrived = new Promise<ServerResponse>((resolve) => {
    onRequest = resolve;
  });
  const { port } = server.address() as AddressInfo;
  const outgoing = request({ host: '127.0.0.1', port, agent: false });
  outgoing.end();
  const response = await arrived;
  response.flushHeaders();
  const [client] = (await once(outgoing, 'response')) as [IncomingMessage];
  client.on('error', () => undefined);
  return { response, client };
}

async function readAll(client: IncomingMessage): Promise<string> {
  client.setEncoding('utf8');
  let text = '';
  for await (const piece of client) text += String(piece);
  return text;
}

const BIG_FRAME = `data: ${'x'.repeat(256 * 1024)}\n\n`;

it('FRAME-1: the answer begins with `retry:`, has every frame in order, and ends', async () => {
  const { response, client } = await connect();
  const subscriber = createSseSubscriber(response, 'sse-text');
  for (const word of ['a', 'b', 'c']) subscriber.write(`id: 1-1\ndata: ${word}\n\n`);
  subscriber.end();
  const text = await readAll(client);
  expect(text).toMatch(/^retry: \d+\n\n/);
  expect(parseSse(text).map(({ data }) => data)).toEqual(['a', 'b', 'c']);
});

it('FRAME-7: an error of this reader is its last event, without an id', async () => {
  const { response, client } = await connect();
  createSseSubscriber(response, 'sse-text').end({ code: 'unavailable', message: 'Too slow.' });
  const [error] = parseSse(await readAll(client));
  expect(error).toMatchObject({ id: '', name: 'error' });
});

it('STREAM-10: what a reader has not taken is counted, past the limit at which it is cut', async () => {
  const { response, client } = await connect();
  client.pause();
  const subscriber = createSseSubscriber(response, 'sse-text');
  let untaken = 0;
  for (let frames = 0; frames < 80 && untaken <= MAX_BUFFERED_BYTES; frames += 1) {
    untaken = subscriber.write(BIG_FRAME);
  }
  expect(untaken).toBeGreaterThan(MAX_BUFFERED_BYTES);
  client.destroy();
  await once(response, 'close');
});

it('a replay waits until its reader has taken what it was given, and leaves no listener behind', async () => {
  const { response, client } = await connect();
  const subscriber = createSseSubscriber(response, 'sse-text');
  const listeners = () => response.listenerCount('close') + response.listenerCount('drain');
  const before = listeners();
  client.resume();
  for (let page = 0; page < 24; page += 1) {
    subscriber.write(BIG_FRAME);
    await subscriber.drained();
    expect(response.writableNeedDrain).toBe(false);
  }
  expect(listeners()).toBe(before);
  subscriber.end();
});

it('STREAM-15: waiting for a reader ends when it goes away, and writing to it does nothing', async () => {
  const { response, client } = await connect();
  client.pause();
  const subscriber = createSseSubscriber(response, 'sse-text');
  // More than the two kernels between them hold, so that only a departure can end the waiting.
  while (subscriber.write(BIG_FRAME) <= MAX_BUFFERED_BYTES);
  const waiting = subscriber.drained();
  client.destroy();
  await waiting;
  expect(response.destroyed).toBe(true);
  expect(subscriber.write('data: late\n\n')).toBe(0);
  expect(subscriber.drained()).toBeUndefined();
  subscriber.end({ code: 'unavailable', message: 'Too late.' });
});

/** What a client that speaks `version` gets, byte for byte, after the head. */
async function readRaw(version: string, write: (subscriber: Subscriber) => void): Promise<string> {
  onRequest = (response) => {
    const subscriber = createSseSubscriber(response, 'sse-text');
    write(subscriber);
    subscriber.end();
  };
  const { port } = server.address() as AddressInfo;
  const socket = connectTo(port, '127.0.0.1');
  socket.end(`GET / HTTP/${version}\r\nhost: x\r\nconnection: close\r\n\r\n`);
  let text = '';
  for await (const piece of socket.setEncoding('utf8')) text += String(piece);
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

it('FRAME-1: every frame is a chunk of its own, counted in bytes, and the last chunk ends the body', async () => {
  const frames = ['data: ž 🐎\n\n', 'data: ž 🐎\n\n', `data: ${'x'.repeat(300)}\n\n`];
  const body = await readRaw('1.1', (subscriber) => {
    for (const frame of frames) subscriber.write(frame);
  });
  const chunks = [SSE_PREAMBLE, ...frames].map(
    (frame) => `${Buffer.byteLength(frame).toString(16)}\r\n${frame}\r\n`,
  );
  expect(body).toBe(`${chunks.join('')}0\r\n\r\n`);
});

it('FRAME-1: a client of HTTP/1.0, which knows no chunks, gets the frames alone', async () => {
  const body = await readRaw('1.0', (subscriber) => subscriber.write('data: a\n\n'));
  expect(body).toBe(`${SSE_PREAMBLE}data: a\n\n`);
});

it('FRAME-1: the connection takes another request after the end of a stream', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { port } = server.address() as AddressInfo;
  const ports: (number | undefined)[] = [];
  for (const word of ['one', 'two']) {
    onRequest = (response) => {
      ports.push(response.socket?.remotePort);
      const subscriber = createSseSubscriber(response, 'sse-text');
      subscriber.write(`data: ${word}\n\n`);
      subscriber.end();
    };
    const outgoing = request({ host: '127.0.0.1', port, agent });
    outgoing.end();
    const [client] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(parseSse(await readAll(client)).map(({ data }) => data)).toEqual([word]);
  }
  agent.destroy();
  expect(ports[0]).toBeDefined();
  expect(ports[1]).toBe(ports[0]);
});

describeSubscriberContract('HTTP response of Node', async () => {
  const { response, client } = await connect();
  return {
    subscriber: createSseSubscriber(response, 'sse-text'),
    async readAll() {
      let text = '';
      client.setEncoding('utf8');
      client.on('data', (piece: string) => {
        text += piece;
      });
      await new Promise((resolve) => client.once('close', resolve));
      return text;
    },
    async leave() {
      const noticed = once(response, 'close');
      client.destroy();
      await noticed;
    },
  };
});
