import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectMedia, type MediaFacts } from './inspect-media.ts';
import type { MediaKind } from './sniff.ts';

const LIMITS = { maxPixels: 64_000_000, maxFrames: 100 };

function inspect(
  bytes: Uint8Array,
  kind: MediaKind = 'image',
  limits: Partial<typeof LIMITS> = {},
): Promise<MediaFacts> {
  const source = {
    size: bytes.length,
    read: async (at: number, length: number) => bytes.subarray(at, at + length),
  };
  return inspectMedia(source, kind, { ...LIMITS, ...limits });
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'taken',
    (thrown: { code?: string; message: string }) => `${thrown.code}: ${thrown.message}`,
  );

/** Noise, so that nothing of it is compressed away. */
async function draw(width: number, height: number): Promise<Sharp> {
  const noise = await sharp({
    create: {
      width,
      height,
      channels: 3,
      background: '#888',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  })
    .png()
    .toBuffer();
  return sharp(noise);
}

/** Frames below one another, as sharp makes animations of. */
async function animate(frames: number): Promise<Sharp> {
  const width = 16;
  const height = 12;
  const pixels = await (await draw(width, height * frames)).raw().toBuffer();
  return sharp(pixels, {
    raw: { width, height: height * frames, channels: 3, pageHeight: height },
  });
}

/** A BMP, which sharp does not write. */
function bmp(width: number, height: number): Buffer {
  const rowBytes = Math.ceil((width * 24) / 32) * 4;
  const bytes = Buffer.alloc(54 + rowBytes * height);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(-height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}

let images: Readonly<Record<string, Buffer>>;

beforeAll(async () => {
  const image = await draw(64, 48);
  images = {
    png: await image.clone().png().toBuffer(),
    'png interlaced': await image.clone().png({ progressive: true }).toBuffer(),
    jpeg: await image.clone().jpeg().toBuffer(),
    'jpeg progressive': await image.clone().jpeg({ progressive: true }).toBuffer(),
    'jpeg with exif': await image.clone().withMetadata().jpeg().toBuffer(),
    webp: await image.clone().webp().toBuffer(),
    'webp lossless': await image.clone().webp({ lossless: true }).toBuffer(),
    'webp with alpha': await image.clone().ensureAlpha(0.5).webp().toBuffer(),
    gif: await image.clone().gif().toBuffer(),
    tiff: await image.clone().tiff().toBuffer(),
    'tiff tiled': await image
      .clone()
      .tiff({ tile: true, tileWidth: 16, tileHeight: 16 })
      .toBuffer(),
    'tiff big': await image.clone().tiff({ bigtiff: true }).toBuffer(),
    avif: await image.clone().avif().toBuffer(),
    bmp: bmp(64, 48),
  };
});

const NAMES = [
  ...['png', 'png interlaced', 'jpeg', 'jpeg progressive', 'jpeg with exif'],
  ...['webp', 'webp lossless', 'webp with alpha', 'gif', 'tiff', 'tiff tiled', 'tiff big'],
  ...['avif', 'bmp'],
];
const imageOf = (name: string): Buffer => images[name] ?? Buffer.alloc(0);

describe('images', () => {
  it.each(NAMES)('INPUT-10: %s is told by its bytes, with its size', async (name) => {
    expect(await inspect(imageOf(name))).toEqual({
      mediaType: `image/${name.split(' ')[0]}`,
      width: 64,
      height: 48,
      frames: 1,
    });
  });

  it.each(NAMES)('INPUT-12: %s that is cut off anywhere is truncated', async (name) => {
    const whole = imageOf(name);
    // The bytes after the last structure of a TIFF are padding, where there are any.
    for (const share of [0.3, 0.5, 0.8, 0.97]) {
      const cut = whole.subarray(0, Math.floor(whole.length * share));
      expect(await codeOf(inspect(cut)), `at ${share}`).toMatch(/^validation_failed: is truncated/);
    }
    expect(await codeOf(inspect(whole.subarray(0, whole.length - 2)))).toMatch(
      /^validation_failed/,
    );
  });

  it.each(NAMES)('INPUT-11: %s with more pixels than allowed is refused', async (name) => {
    const refusal = await codeOf(inspect(imageOf(name), 'image', { maxPixels: 64 * 48 - 1 }));
    expect(refusal).toMatch(/^payload_too_large: has 64 × 48 pixels/);
    expect((await inspect(imageOf(name), 'image', { maxPixels: 64 * 48 })).width).toBe(64);
  });

  it('INPUT-12: bytes after the end of an image do no harm', async () => {
    for (const name of ['png', 'jpeg', 'gif', 'bmp', 'webp']) {
      const more = Buffer.concat([imageOf(name), Buffer.alloc(100)]);
      expect((await inspect(more)).width).toBe(64);
    }
  });
});

describe('frames', () => {
  it('INPUT-11: of animations and multi-page images are counted and limited', async () => {
    const animation = await animate(7);
    const animations = {
      gif: await animation.clone().gif({ loop: 0, delay: 50 }).toBuffer(),
      webp: await animation.clone().webp({ delay: 50 }).toBuffer(),
      'webp lossless': await animation.clone().webp({ lossless: true, delay: 50 }).toBuffer(),
      tiff: await animation.clone().tiff().toBuffer(),
    };
    for (const [name, bytes] of Object.entries(animations)) {
      expect(await inspect(bytes), name).toMatchObject({ width: 16, height: 12, frames: 7 });
      const refusal = await codeOf(inspect(bytes, 'image', { maxFrames: 6 }));
      expect(refusal, name).toBe('payload_too_large: has more than 6 frames.');
    }
  });

  it('INPUT-11: an APNG is held to what it declares and to what it holds', async () => {
    const whole = imageOf('png');
    const chunk = (name: string, data: Buffer) => {
      const bytes = Buffer.alloc(12 + data.length);
      bytes.writeUInt32BE(data.length, 0);
      bytes.write(name, 4, 'latin1');
      data.copy(bytes, 8);
      return bytes;
    };
    const control = Buffer.alloc(8);
    control.writeUInt32BE(1_000_000, 0);
    const declared = Buffer.concat([
      whole.subarray(0, 33),
      chunk('acTL', control),
      whole.subarray(33),
    ]);
    expect(await codeOf(inspect(declared))).toMatch(/^payload_too_large: has more than 100 frames/);
    const frame = Buffer.alloc(26);
    frame.writeUInt32BE(64, 4);
    frame.writeUInt32BE(48, 8);
    const frames = Array.from({ length: 101 }, () => chunk('fcTL', frame));
    const held = Buffer.concat([whole.subarray(0, 33), ...frames, whole.subarray(33)]);
    expect(await codeOf(inspect(held))).toMatch(/^payload_too_large/);
    expect((await inspect(held, 'image', { maxFrames: 101 })).frames).toBe(101);
  });
});

describe('bombs and lies', () => {
  it('INPUT-11: a declared size counts, however few bytes stand behind it', async () => {
    const png = Buffer.from(imageOf('png'));
    png.writeUInt32BE(0x7fffffff, 16);
    expect(await codeOf(inspect(png))).toMatch(/^payload_too_large/);
    const gif = Buffer.from(imageOf('gif'));
    gif.writeUInt16LE(65_535, 6);
    gif.writeUInt16LE(65_535, 8);
    expect(await codeOf(inspect(gif))).toMatch(/^payload_too_large/);
  });

  it('INPUT-11: a small canvas does not hide a large picture', async () => {
    const webp = Buffer.from(imageOf('webp with alpha'));
    expect(webp.toString('latin1', 12, 16)).toBe('VP8X');
    webp.writeUIntLE(0, 24, 3);
    webp.writeUIntLE(0, 27, 3);
    const refusal = await codeOf(inspect(webp, 'image', { maxPixels: 1000 }));
    expect(refusal).toMatch(/^payload_too_large: has 64 × 48/);
  });

  it('INPUT-12: a chain of pages that bites its tail ends', async () => {
    const tiff = Buffer.from(imageOf('tiff'));
    const at = tiff.readUInt32LE(4);
    const entries = tiff.readUInt16LE(at);
    tiff.writeUInt32LE(at, at + 2 + entries * 12);
    expect(await codeOf(inspect(tiff))).toMatch(/^validation_failed: is damaged/);
  });

  it('INPUT-12: an empty picture, and one without data, is damaged', async () => {
    const png = Buffer.from(imageOf('png'));
    png.writeUInt32BE(0, 16);
    expect(await codeOf(inspect(png))).toMatch(/^validation_failed: is damaged/);
    const end = imageOf('png').subarray(-12);
    const bare = Buffer.concat([imageOf('png').subarray(0, 33), end]);
    expect(await codeOf(inspect(bare))).toMatch(/^validation_failed: is damaged/);
  });

  it('INPUT-10: what is no image is not taken, whatever it is called', async () => {
    const others = [
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      '<?xml version="1.0"?><svg/>',
      'PK\x03\x04',
      '%PDF-1.7',
      '#!/bin/sh',
      '\0\0\0',
      '8BPS',
      'GIF88a',
      '\x7fELF',
    ];
    for (const text of others) {
      const refusal = await codeOf(inspect(Buffer.from(text.padEnd(200, ' '), 'latin1')));
      expect(refusal, text).toMatch(/^unsupported_media_type: is no image/);
    }
    expect(await codeOf(inspect(Buffer.alloc(0)))).toBe('validation_failed: is empty.');
  });
});

describe('sounds and documents', () => {
  const wav = (bytes: number, declared = bytes + 36): Buffer => {
    const head = Buffer.alloc(44 + bytes);
    head.write('RIFF');
    head.writeUInt32LE(declared, 4);
    head.write('WAVEfmt ', 8);
    return head;
  };
  const begins = (text: string): Buffer => Buffer.from(text.padEnd(400, '\x01'), 'latin1');

  it('INPUT-10: sounds are told by their bytes', async () => {
    const sounds: Record<string, Buffer> = {
      'audio/wav': wav(100),
      'audio/flac': begins('fLaC'),
      'audio/ogg': begins('OggS'),
      'audio/webm': begins('\x1a\x45\xdf\xa3\x01\0\0\0\x42\x82\x84webm'),
      'audio/mpeg': begins('\xff\xfb\x90\x64'),
    };
    for (const [mediaType, bytes] of Object.entries(sounds)) {
      expect(await inspect(bytes, 'audio')).toEqual({ mediaType });
      expect(await codeOf(inspect(bytes, 'image'))).toMatch(/^unsupported_media_type/);
    }
    expect(await inspect(begins('ID3\x04'), 'audio')).toEqual({ mediaType: 'audio/mpeg' });
    expect(await codeOf(inspect(imageOf('png'), 'audio'))).toMatch(
      /^unsupported_media_type: is no sound/,
    );
  });

  it('INPUT-12: a WAV shorter than it says is truncated, one of unknown length is not', async () => {
    expect(await codeOf(inspect(wav(100).subarray(0, 90), 'audio'))).toMatch(/is truncated/);
    expect(await codeOf(inspect(wav(100, 0xffffffff), 'audio'))).toBe('taken');
  });

  it('INPUT-10, INPUT-12: M4A goes by its boxes', async () => {
    const m4a = Buffer.from('\0\0\0\x18ftypM4A \0\0\0\0M4A isom\0\0\0\x10mdat12345678', 'latin1');
    expect(await inspect(m4a, 'audio')).toEqual({ mediaType: 'audio/mp4' });
    expect(await codeOf(inspect(m4a.subarray(0, -1), 'audio'))).toMatch(/is truncated/);
  });

  it('INPUT-10, INPUT-12: documents are whole PDFs and text in UTF-8', async () => {
    const pdf = Buffer.from(`%PDF-1.7\n${'x'.repeat(5000)}\n%%EOF\n`);
    expect(await inspect(pdf, 'document')).toEqual({ mediaType: 'application/pdf' });
    expect(await codeOf(inspect(pdf.subarray(0, -20), 'document'))).toMatch(/is truncated/);
    const text = Buffer.from('Überschrift\n'.repeat(9000));
    expect(await inspect(text, 'document')).toEqual({ mediaType: 'text/plain' });
    const late = Buffer.concat([text, Buffer.from([0xff, 0xfe])]);
    expect(await codeOf(inspect(late, 'document'))).toMatch(/^unsupported_media_type/);
    expect(await codeOf(inspect(text.subarray(0, text.length - 1), 'document'))).toBe('taken');
  });
});
