import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { GatewayError } from '@headwater/shared/protocol/errors';
import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { inspectMedia } from './inspect-media.ts';

const LIMITS = { maxPixels: 64_000_000, maxFrames: 10_000 };

/** Real pictures of a folder beside the project, where there is one. */
const { HEADWATER_PICTURES } = process.env;

const samples: Buffer[] = [];

beforeAll(async () => {
  const width = 40;
  const height = 30;
  const image = sharp({
    create: {
      width,
      height,
      channels: 4,
      background: '#8888',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  });
  const still = await image.png().toBuffer();
  const open = () => sharp(still);
  samples.push(
    still,
    await open().jpeg({ progressive: true }).toBuffer(),
    await open().webp().toBuffer(),
    await open().webp({ lossless: true }).toBuffer(),
    await open().gif().toBuffer(),
    await open().tiff({ tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
    await open().avif().toBuffer(),
  );
  if (HEADWATER_PICTURES === undefined || !existsSync(HEADWATER_PICTURES)) return;
  for (const name of readdirSync(HEADWATER_PICTURES)) {
    if (/\.(?:png|jpe?g|webp|gif|bmp|tiff?)$/i.test(name)) {
      samples.push(readFileSync(join(HEADWATER_PICTURES, name)));
    }
  }
});

/** Gives the bytes, and counts what is read. */
async function inspect(bytes: Uint8Array): Promise<{ outcome: unknown; read: number }> {
  let read = 0;
  const source = {
    size: bytes.length,
    async read(at: number, length: number) {
      const piece = bytes.subarray(at, at + length);
      read += piece.length;
      return piece;
    },
  };
  const outcome = await inspectMedia(source, 'image', LIMITS).catch((thrown: unknown) => thrown);
  return { outcome, read };
}

/** A refusal in words for the caller, or facts within the limits; nothing else. */
function expectSane(outcome: unknown): void {
  if (outcome instanceof GatewayError) {
    expect(['validation_failed', 'payload_too_large', 'unsupported_media_type']).toContain(
      outcome.code,
    );
    return;
  }
  expect(outcome).not.toBeInstanceOf(Error);
  const { width, height } = outcome as { width: number; height: number };
  expect(width * height).toBeLessThanOrEqual(LIMITS.maxPixels);
  expect(width * height).toBeGreaterThan(0);
}

it('INPUT-13: real pictures with bytes changed, cut out and put in are judged, never thrown over', async () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    kind: fc.constantFrom('set', 'cut', 'insert', 'end'),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    isEarly: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(edit, { minLength: 1, maxLength: 6 }),
      async (nth, edits) => {
        let bytes = Buffer.from(samples[nth % samples.length] ?? []);
        for (const { at, kind, bytes: next, isEarly } of edits) {
          // Heads are where parsers go wrong.
          const place = Math.floor(at * (isEarly ? Math.min(200, bytes.length) : bytes.length));
          if (kind === 'set') bytes.set(next.subarray(0, bytes.length - place), place);
          if (kind === 'end') bytes = bytes.subarray(0, place);
          if (kind === 'cut') {
            bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + next.length)]);
          }
          if (kind === 'insert') {
            bytes = Buffer.concat([bytes.subarray(0, place), next, bytes.subarray(place)]);
          }
        }
        expectSane((await inspect(bytes)).outcome);
      },
    ),
    { numRuns: 3000 },
  );
}, 60_000);

it('INPUT-13: noise behind the beginning of a format is judged', async () => {
  const starts = [
    '\x89PNG\r\n\x1a\n\0\0\0\rIHDR',
    '\xff\xd8\xff\xc0',
    'GIF89a',
    'RIFF\xff\xff\0\0WEBPVP8X',
    'BM\0\0\0\0\0\0\0\0',
    'II*\0\x08\0\0\0',
    'MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10',
    '\0\0\0\x10ftypavif\0\0\0\0',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...starts),
      fc.uint8Array({ maxLength: 400 }),
      async (start, noise) => {
        expectSane((await inspect(Buffer.concat([Buffer.from(start, 'latin1'), noise]))).outcome);
      },
    ),
    { numRuns: 3000 },
  );
}, 60_000);

it('INPUT-13: files made to be walked through for ever are read a bounded number of times', async () => {
  const size = 8 * 1024 * 1024;
  const fill = (head: string, pattern: string): Buffer =>
    Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(size, pattern, 'latin1')]);
  const hostile = {
    'png of empty chunks': fill(
      '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0crc!',
      '\0\0\0\0tEXtcrc!',
    ),
    'jpeg of stuffed bytes': fill('\xff\xd8\xff\xda\0\x02', '\xff\0'),
    'jpeg of empty segments': fill('\xff\xd8\xff\xe0\0\x02', '\xff\xe0\0\x02'),
    'gif of tiny blocks': fill('GIF89a\x10\0\x10\0\0\0\0', '!\xff\0'),
    'gif of tiny sub-blocks': fill('GIF89a\x10\0\x10\0\0\0\0!\xff', '\x01\x01'),
    'webp of empty chunks': fill('RIFF\0\0\x7f\0WEBP', 'JUNK\0\0\0\0'),
    'boxes in boxes': fill('\0\0\0\x10ftypavif\0\0\0\0', '\0\0\0\x08free'),
  };
  for (const [name, bytes] of Object.entries(hostile)) {
    const before = performance.now();
    const { outcome, read } = await inspect(bytes);
    expectSane(outcome);
    expect(outcome, name).toBeInstanceOf(GatewayError);
    expect(read, name).toBeLessThan(2 * size);
    expect(performance.now() - before, name).toBeLessThan(10_000);
  }
}, 90_000);
