import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { openRawReader, type RawReader } from './raw-reader.ts';

const BODY = 'retry: 1000\n\nid: 1-1\ndata: 漢字\n\nid: 1-2\ndata: [DONE]\n\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

let server: Server | undefined;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.close();
});

/** Answers with these writes, each seen as a read of its own, and then closes where told to. */
async function serve(writes: readonly Buffer[], ends: boolean): Promise<string> {
  server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.once('data', async () => {
      for (const bytes of writes) await new Promise((resolve) => socket.write(bytes, resolve));
      if (ends) socket.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function read(url: string, isOver: (reader: RawReader) => boolean): Promise<RawReader> {
  return new Promise((resolve) => {
    openRawReader({ url, keep: true, onNews: (reader) => isOver(reader) && resolve(reader) });
  });
}

const chunked = (body: Buffer, size: number): Buffer => {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const data = body.subarray(at, at + size);
    chunks.push(Buffer.from(`${data.length.toString(16).toUpperCase()};x=1\r\n`), data);
    chunks.push(Buffer.from('\r\n'));
  }
  return Buffer.concat([Buffer.from(CHUNKED), ...chunks, Buffer.from('0\r\n\r\n')]);
};

const split = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );

test.each([
  [1, 1],
  [7, 3],
  [17, 1000],
  [1000, 1],
])(
  'BENCH-2: a body in chunks of %i bytes, read %i at a time, is the same body',
  async (chunk, at) => {
    const url = await serve(split(chunked(Buffer.from(BODY), chunk), at), false);
    const reader = await read(url, ({ ended }) => ended);
    expect(Buffer.concat(reader.kept).toString()).toBe(BODY);
    expect(reader).toMatchObject({ blocks: 3, bytes: Buffer.byteLength(BODY) });
    expect(reader.fault).toBeUndefined();
  },
);

test('BENCH-2: a body without chunks is read as it is, and its hash is that of the chunked one', async () => {
  const plain = Buffer.from(`HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n${BODY}`);
  const reader = await read(await serve(split(plain, 5), false), ({ blocks }) => blocks === 3);
  const { hash } = await read(
    await serve([chunked(Buffer.from(BODY), 9)], false),
    ({ ended }) => ended,
  );
  expect(reader.hash).toBe(hash);
});

test('BENCH-2: one byte that differs gives another hash', async () => {
  const body = Buffer.from(BODY);
  const same = await read(await serve([chunked(body, 9)], false), ({ ended }) => ended);
  body[20] = (body[20] ?? 0) ^ 1;
  const other = await read(await serve([chunked(body, 9)], false), ({ ended }) => ended);
  expect(other.bytes).toBe(same.bytes);
  expect(other.hash).not.toBe(same.hash);
});

test.each([
  ['a cut body', chunked(Buffer.from(BODY), 9).subarray(0, -12), 'the connection was cut'],
  ['a refusal', Buffer.from('HTTP/1.1 429 Too Many\r\n\r\n'), 'HTTP/1.1 429 Too Many'],
])('BENCH-2: %s is a fault', async (_, bytes, fault) => {
  const reader = await read(await serve([bytes], true), (news) => news.fault !== undefined);
  expect(reader.fault).toBe(fault);
});
