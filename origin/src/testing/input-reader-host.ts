/** Readers of inputs on folders of their own, what tests send them, and a server with files to fetch. */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import sharp from 'sharp';
import { expect } from 'vitest';
import * as z from 'zod';
import type { EngineManifest } from '../engines/engine-manifest.ts';
import { openDiskBlobStore } from '../inputs/disk-blob-store.ts';
import type { InputReader } from '../inputs/draft.ts';
import { createInputFetch } from '../inputs/fetch-input.ts';
import { createInputReader } from '../inputs/input-reader.ts';
import { withInputFolder } from './input-folder.ts';

/** Most bytes of one file. */
export const MAX_BYTES = 400 * 1024;

const OCR: EngineManifest = {
  type: 'ocr',
  files: [
    { field: 'image', kind: 'image', min: 0, max: 1 },
    { field: 'pages', kind: 'image', min: 0, max: 10 },
  ],
  // An optional field may be `undefined` to TypeScript; in JSON it is not there.
  params: z.strictObject({
    language: z.string().default('en'),
    prompt: z.string().max(200_000).optional(),
    dpi: z.int().optional(),
    boxes: z.array(z.int()).optional(),
  }) as unknown as EngineManifest['params'],
  availability: () => ({ live: true }),
};

const manifests = {
  manifestOf(type: string) {
    if (type === 'ocr') return OCR;
    if (type === 'deaf') throw new GatewayError('unavailable', 'No engine.');
    throw new GatewayError('not_found', 'There is no such type of task.');
  },
};

/** A running server with files. */
export interface InputHost {
  /** A whole picture, 90 × 70. */
  readonly png: Buffer;
  /**
   * `/png` is the picture, `/never` no answer, `/together` the picture once eight have asked; all
   * else is 404.
   */
  readonly base: string;
  /** Requests so far, and the most at once. */
  readonly fetched: number;
  readonly most: number;
  close(): Promise<void>;
}

/** Starts it. */
export async function startInputHost(): Promise<InputHost> {
  let fetched = 0;
  let most = 0;
  let open = 0;
  const held: ServerResponse[] = [];

  const png = await sharp({
    create: {
      width: 90,
      height: 70,
      channels: 3,
      background: '#888',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  })
    .png()
    .toBuffer();
  const server = createServer((request, response) => {
    fetched += 1;
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => {
      open -= 1;
    });
    if (request.url?.startsWith('/never') === true) return;
    if (request.url === '/together') {
      held.push(response);
      // A ninth one would come within this time.
      if (held.length === 8) {
        setTimeout(() => {
          for (const waiting of held.splice(0)) waiting.end(png);
        }, 25);
      }
      return;
    }
    if (request.url?.startsWith('/png') !== true) response.statusCode = 404;
    setImmediate(() => response.end(png));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    png,
    base,
    get fetched() {
      return fetched;
    },
    get most() {
      return most;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A reader, and what it has kept. */
export interface ReaderSetup {
  readonly reader: InputReader;
  files(): Promise<readonly string[]>;
}

/** Runs a test with a reader that knows `ocr`, and `deaf`, which has no engine. */
export function withReader(
  test: (setup: ReaderSetup) => Promise<void>,
  referencesMs = 20_000,
): Promise<void> {
  return withInputFolder(async ({ path, files }) => {
    const blobs = await openDiskBlobStore(path);
    const fetch = createInputFetch({ allowedHosts: [], allowLoopback: true });
    const reader = createInputReader({
      manifests,
      blobs,
      spool: blobs.spool,
      fetchInput: fetch.open,
      tasks: {
        timeoutMs: 300_000,
        inputs: { maxBytes: MAX_BYTES, maxPixels: 1_000_000, maxFrames: 10, allowedHosts: [] },
      },
      callbackPolicy: { allowedHosts: [], allowLoopback: false },
      logger: createSilentLogger(),
      referencesMs,
    });
    try {
      await test({ reader, files });
    } finally {
      await fetch.close();
    }
  });
}

/** A body of JSON; a text goes as it is. */
export const json = (value: unknown) => ({
  contentType: 'application/json',
  contentLength: undefined,
  body: Readable.from([Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))]),
});

/** A body as a browser makes it. */
export async function form(parts: readonly (readonly [string, string | Blob, string?])[]) {
  const data = new FormData();
  for (const [name, value, filename] of parts) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, value, filename);
  }
  const response = new Response(data);
  return {
    contentType: response.headers.get('content-type') ?? '',
    contentLength: undefined,
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

/** The same, in pieces. */
export const inbound = (
  { contentType, contentLength, bytes }: Awaited<ReturnType<typeof form>>,
  size = 777,
) => ({
  contentType,
  contentLength,
  body: Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })(),
  ),
});

/** A part of a form. */
export const blobOf = (bytes: Uint8Array, type = 'image/png') =>
  new Blob([new Uint8Array(bytes)], { type });

/** How a reading was refused. */
export async function refusalOf(
  reading: Promise<unknown>,
): Promise<{ code: string; message: string }> {
  const thrown = await reading.then(
    () => 'taken',
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(GatewayError);
  const { code, message } = thrown as GatewayError;
  return { code, message };
}
