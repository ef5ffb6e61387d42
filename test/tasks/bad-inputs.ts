/** Files that must not come in. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FileServer, startFileServer } from './file-server.ts';
import { dataUrl, pictureForm, pixelBomb, png } from './pictures.ts';
import { queueStatus, quietQueue } from './quiet-queue.ts';
import type { Fields } from './task-caller.ts';
import type { TaskWorld } from './task-world.ts';

const MIB = 1024 * 1024;

/** A port of this machine on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

const picture = png(40, 30);

type Refused = readonly [
  name: string,
  fields: (server: FileServer) => Fields | FormData | Promise<Fields | FormData>,
  status: number,
  code: string,
];

const REFUSED: readonly Refused[] = [
  [
    'too large, in a form',
    () => pictureForm(Buffer.concat([picture, Buffer.alloc(2 * MIB)])),
    413,
    'payload_too_large',
  ],
  [
    'too large, in JSON',
    () => ({ image: dataUrl(Buffer.concat([picture, Buffer.alloc(2 * MIB)])) }),
    413,
    'payload_too_large',
  ],
  [
    'too large, from a URL',
    (server) => ({ image: server.urlFor('large') }),
    413,
    'payload_too_large',
  ],
  [
    'too large once it is unpacked',
    (server) => ({ image: server.urlFor('zip-bomb') }),
    413,
    'payload_too_large',
  ],
  [
    'no image',
    () => pictureForm(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
    415,
    'unsupported_media_type',
  ],
  [
    'a ZIP that says it is an image',
    () => ({ image: dataUrl(Buffer.from('PK\u0003\u0004 and so on')) }),
    415,
    'unsupported_media_type',
  ],
  ['empty', () => pictureForm(Buffer.alloc(0)), 400, 'validation_failed'],
  ['a pixel bomb', () => pictureForm(pixelBomb()), 413, 'payload_too_large'],
  ['truncated', () => pictureForm(picture.subarray(0, -20)), 400, 'validation_failed'],
  [
    'good beside a truncated one',
    () => ({ image: [dataUrl(picture), dataUrl(picture.subarray(0, -20))] }),
    400,
    'validation_failed',
  ],
  ['no base64', () => ({ image: 'data:image/png;base64,@@@@' }), 400, 'validation_failed'],
  ['at a private address', () => ({ image: 'https://10.1.2.3/a.png' }), 400, 'validation_failed'],
  [
    'at the metadata address',
    () => ({ image: 'http://169.254.169.254/latest' }),
    400,
    'validation_failed',
  ],
  [
    'redirected to a private address',
    (server) => ({ image: server.urlFor('inward') }),
    400,
    'validation_failed',
  ],
  ['at a file: URL', () => ({ image: 'file:///etc/passwd' }), 400, 'validation_failed'],
  [
    'unreachable',
    async () => ({ image: `http://127.0.0.1:${await closedPort()}/a.png` }),
    502,
    'upstream_failed',
  ],
  [
    'missing at its host',
    (server) => ({ image: server.urlFor('missing') }),
    502,
    'upstream_failed',
  ],
  ['cut off by its host', (server) => ({ image: server.urlFor('cut') }), 502, 'upstream_failed'],
  ['in a store that is not set up', () => ({ image: 's3://bucket/key.png' }), 503, 'unavailable'],
  [
    'one too many',
    () => ({ image: new Array(5).fill(dataUrl(picture)) }),
    400,
    'validation_failed',
  ],
];

/** Adds the tests. */
export function describeBadInputs(world: () => TaskWorld): void {
  let server: FileServer;
  beforeAll(async () => {
    server = await startFileServer(async (request, response) => {
      switch (request.url) {
        case '/large':
          response.write(picture);
          response.end(Buffer.alloc(3 * MIB));
          break;
        case '/zip-bomb':
          response.writeHead(200, { 'content-encoding': 'gzip' });
          response.end(gzipSync(Buffer.concat([picture, Buffer.alloc(16 * MIB)])));
          break;
        case '/inward':
          response.writeHead(302, { location: 'http://10.1.2.3/a.png' });
          response.end();
          break;
        case '/cut':
          response.writeHead(200, { 'content-length': String(picture.length) });
          response.write(picture.subarray(0, 20));
          await sleep(20);
          response.destroy();
          break;
        default:
          response.writeHead(404);
          response.end('a secret page');
      }
    });
  });
  afterAll(() => server.close());

  it.each(REFUSED)(
    'INPUT-8: a file that is %s is refused: nothing is queued, no file is left',
    async (name, fields, status, code) => {
      const caller = await world().caller(`bad-${name}`);
      const before = await quietQueue(caller);
      const refused = await caller.submit(await fields(server));
      expect([refused.status, refused.body]).toMatchObject([status, { error: { code } }]);
      const words = JSON.stringify(refused.body);
      expect(words).toContain('image');
      expect(words).not.toContain('secret');
      expect(await queueStatus(caller)).toEqual(before);
      await expect.poll(() => world().host.filesLeft()).toEqual([]);
    },
  );

  it('INPUT-8: a caller that leaves in the middle of a file leaves nothing', async () => {
    const caller = await world().caller('bad-leaver');
    const leave = new AbortController();
    const body = new ReadableStream({
      async start(controller) {
        const head =
          '--x\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n';
        controller.enqueue(Buffer.concat([Buffer.from(head), picture, Buffer.alloc(600_000)]));
        await sleep(100);
        leave.abort();
      },
    });
    const asking = fetch(`${world().host.baseUrl}/api/v1/tasks/test`, {
      method: 'POST',
      headers: { ...caller.headers, 'content-type': 'multipart/form-data; boundary=x' },
      body,
      duplex: 'half',
      signal: leave.signal,
    } as RequestInit);
    await expect(asking).rejects.toThrow();
    await expect.poll(() => world().host.filesLeft(), { timeout: 5_000 }).toEqual([]);
  });
}
