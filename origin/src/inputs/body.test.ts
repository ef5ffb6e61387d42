import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { letGo } from './body.ts';
import { createByteBudget } from './byte-budget.ts';

const MIB = 1024 * 1024;

/** Reads at most 1 MiB, then answers 413 and lets go of the rest. */
let server: Server;
/** How much of the last connection's bytes was taken until it closed. */
let cutAt: Promise<number>;

beforeAll(async () => {
  server = createServer(async (incoming, response) => {
    const budget = createByteBudget(MIB, 'It');
    let taken = 0;
    cutAt = new Promise((resolve) => {
      incoming.socket.on('close', () => resolve(incoming.socket.bytesRead));
    });
    try {
      for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
        taken += (chunk as Uint8Array).length;
        budget.take((chunk as Uint8Array).length);
      }
      response.end(`${taken}`);
    } catch {
      letGo(incoming);
      response.writeHead(413).end('too large');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Sends so many bytes before it reads anything, and gives the status line. */
function send(bytes: number): Promise<string> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\n`;
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer.split('\r\n')[0] ?? ''));
    socket.write(head);
    let left = bytes;
    const more = (): void => {
      while (left > 0 && !socket.destroyed) {
        left -= MIB;
        if (!socket.write(Buffer.alloc(MIB))) return void socket.once('drain', more);
      }
      socket.end();
    };
    more();
  });
}

it('INPUT-8: a sender that writes all before it reads still gets the refusal', async () => {
  expect(await send(5 * MIB)).toBe('HTTP/1.1 413 Payload Too Large');
});

it('INPUT-8: a refused body that does not end is hung up on', async () => {
  const begunMs = performance.now();
  expect(await send(400 * MIB)).toBe('HTTP/1.1 413 Payload Too Large');
  const taken = await cutAt;
  // 8 MiB or 5 s, whichever comes first: a machine that is busy takes less in that time.
  if (performance.now() - begunMs < 5_000) expect(taken).toBeGreaterThan(8 * MIB);
  expect(taken).toBeLessThan(60 * MIB);
});
