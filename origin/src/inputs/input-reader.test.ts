import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  blobOf,
  form,
  type InputHost,
  inbound,
  json,
  MAX_BYTES,
  refusalOf,
  startInputHost,
  withReader,
} from '../testing/input-reader-host.ts';

let host: InputHost;
beforeAll(async () => {
  host = await startInputHost();
});
afterAll(() => host.close());

const base64 = () => host.png.toString('base64');

describe('a task by JSON', () => {
  it('INPUT-1: fields stand beside each other, and defaults are filled in', () =>
    withReader(async ({ reader }) => {
      const body = {
        dpi: 300,
        priority: 9,
        timeoutSeconds: 20,
        callbackUrl: 'https://n8n.example.com/x',
      };
      expect(await reader.readTask('ocr', json(body))).toEqual({
        type: 'ocr',
        input: { params: { language: 'en', dpi: 300 }, files: [] },
        priority: 9,
        timeoutMs: 20_000,
        callbackUrl: 'https://n8n.example.com/x',
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      const plain = await reader.readTask('ocr', json({}));
      expect(plain).toMatchObject({ priority: 5, timeoutMs: 300_000 });
      expect(plain).not.toHaveProperty('callbackUrl');
    }));

  it('INPUT-2: a file comes as base64, data:, URL or object, with what its head tells', () =>
    withReader(async ({ reader, files }) => {
      const url = `data:image/gif;base64,${base64()}`;
      const values = [
        base64(),
        url,
        { data: base64() },
        { data: url },
        { url: `${host.base}/png` },
        `${host.base}/png`,
      ];
      for (const image of values) {
        const { input } = await reader.readTask('ocr', json({ image }));
        expect(input.files).toEqual([
          {
            field: 'image',
            blob: expect.stringMatching(/^blob_/),
            bytes: host.png.length,
            mediaType: 'image/png',
            width: 90,
            height: 70,
            frames: 1,
          },
        ]);
      }
      expect(await files()).toHaveLength(values.length);
    }));

  it('INPUT-2: several files of a field keep their order', () =>
    withReader(async ({ reader }) => {
      const { input } = await reader.readTask(
        'ocr',
        json({ pages: [base64(), `${host.base}/png`, base64()] }),
      );
      expect(input.files.map(({ field }) => field)).toEqual(['pages[0]', 'pages[1]', 'pages[2]']);
    }));

  it('INPUT-3: a long text that is no file comes back as it was', () =>
    withReader(async ({ reader, files }) => {
      const prompt = 'Zeile "ü" 😀\n'.repeat(8000);
      const { input } = await reader.readTask('ocr', json({ prompt }));
      expect(input.params['prompt']).toBe(prompt);
      expect(await files()).toEqual([]);
    }));

  it('INPUT-7: equal requests have equal fingerprints, and others do not', () =>
    withReader(async ({ reader }) => {
      const print = async (body: unknown) => (await reader.readTask('ocr', json(body))).fingerprint;
      const same = [
        { image: base64(), dpi: 3 },
        { dpi: 3, image: `data:;base64,${base64()}`, language: 'en', priority: 5 },
      ];
      const sent = await form([
        ['image', blobOf(host.png), 'a.png'],
        ['dpi', '3'],
      ]);
      const prints = await Promise.all(same.map(print));
      prints.push((await reader.readTask('ocr', inbound(sent))).fingerprint);
      expect(new Set(prints).size).toBe(1);
      const others = [
        { image: base64(), dpi: 4 },
        { image: base64(), dpi: 3, priority: 6 },
        { pages: [base64()], dpi: 3 },
        { image: `${host.base}/png`, dpi: 3 },
        { image: `${host.base}/png?other`, dpi: 3 },
        { dpi: 3 },
      ];
      expect(new Set([...prints, ...(await Promise.all(others.map(print)))]).size).toBe(7);
    }));
});

describe('a task that is refused leaves no file', () => {
  const huge = () => Buffer.alloc(MAX_BYTES + 1).toString('base64');
  const bomb = () => {
    const bytes = Buffer.from(host.png);
    bytes.writeUInt32BE(50_000, 16);
    return bytes.toString('base64');
  };
  const bad: readonly (readonly [string, () => unknown, string, RegExp])[] = [
    ['priority 0', () => ({ priority: 0 }), 'validation_failed', /priority/],
    ['priority 11', () => ({ priority: 11 }), 'validation_failed', /priority/],
    ['priority 1.5', () => ({ priority: 1.5 }), 'validation_failed', /priority/],
    ['timeout 0', () => ({ timeoutSeconds: 0 }), 'validation_failed', /timeoutSeconds/],
    ['a long timeout', () => ({ timeoutSeconds: 301 }), 'validation_failed', /timeoutSeconds/],
    [
      'a private callback',
      () => ({ callbackUrl: 'http://10.0.0.1/' }),
      'validation_failed',
      /callbackUrl/,
    ],
    ['an unknown field', () => ({ colour: 'red' }), 'validation_failed', /colour/],
    ['__proto__', () => '{"__proto__":{"dpi":1}}', 'validation_failed', /__proto__/],
    ['no object', () => '[1]', 'validation_failed', /object/],
    ['no JSON', () => '{"a":', 'validation_failed', /JSON/],
    ['too many files', () => ({ image: [base64(), base64()] }), 'validation_failed', /image/],
    ['no base64', () => ({ image: 'not base64 at all!' }), 'validation_failed', /image/],
    ['a path', () => ({ image: { path: '/etc/passwd' } }), 'validation_failed', /image/],
    ['a file: URL', () => ({ image: 'file:///etc/passwd' }), 'validation_failed', /image/],
    ['two ways', () => ({ image: { url: host.base, data: 'AAAA' } }), 'validation_failed', /image/],
    [
      'no image',
      () => ({ image: Buffer.from('hello').toString('base64') }),
      'unsupported_media_type',
      /image/,
    ],
    ['an empty file', () => ({ image: 'data:;base64,' }), 'validation_failed', /image is empty/],
    [
      'a cut file',
      () => ({ image: base64().slice(0, 8000) }),
      'validation_failed',
      /image is truncated/,
    ],
    ['a pixel bomb', () => ({ image: bomb() }), 'payload_too_large', /image has/],
    ['too many bytes', () => ({ image: huge() }), 'payload_too_large', /image|JSON/],
    [
      'many files too large together',
      () => ({
        pages: Array.from({ length: 10 }, () => `${host.base}/png`),
        prompt: 'x'.repeat(300_000),
      }),
      'validation_failed',
      /prompt/,
    ],
    ['a private URL', () => ({ image: 'https://10.0.0.1/x' }), 'validation_failed', /image/],
    ['a missing URL', () => ({ image: `${host.base}/missing` }), 'upstream_failed', /404/],
    ['a slow URL', () => ({ image: `${host.base}/never` }), 'upstream_timeout', /image/],
    [
      'S3 that is not set up',
      () => ({ image: 's3://a-bucket/key' }),
      'unavailable',
      /S3_ACCESS_KEY_ID/,
    ],
    [
      'one bad of several',
      () => ({ pages: [base64(), `${host.base}/png`, `${host.base}/missing`, base64()] }),
      'upstream_failed',
      /pages\[2\]/,
    ],
  ];

  it.each(bad)('INPUT-8: %s', (_name, bodyOf, code, words) =>
    withReader(async ({ reader, files }) => {
      const refusal = await refusalOf(reader.readTask('ocr', json(bodyOf())));
      expect(refusal.code).toBe(code);
      expect(refusal.message).toMatch(words);
      expect(await files()).toEqual([]);
    }, 1000),
  );

  it('INPUT-8: a body of another type, a type nobody knows, and one without an engine', () =>
    withReader(async ({ reader, files }) => {
      for (const contentType of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'application/json; charset=latin1',
        '',
      ]) {
        const { code } = await refusalOf(reader.readTask('ocr', { ...json({}), contentType }));
        expect(code).toBe('unsupported_media_type');
      }
      expect((await refusalOf(reader.readTask('nope', json({})))).code).toBe('not_found');
      expect((await refusalOf(reader.readTask('deaf', json({})))).code).toBe('unavailable');
      expect(await files()).toEqual([]);
    }));

  it('INPUT-8: a body that is announced too large is not read', () =>
    withReader(async ({ reader }) => {
      const sent = { ...json({}), contentLength: 90_000_000 };
      expect((await refusalOf(reader.readTask('ocr', sent))).code).toBe('payload_too_large');
    }));

  it('INPUT-8: a sender that breaks off', () =>
    withReader(async ({ reader, files }) => {
      const broken = (bytes: Buffer) =>
        Readable.from(
          (function* () {
            yield bytes;
            throw new Error('aborted');
          })(),
        );
      const start = Buffer.from(`{"image":"${'A'.repeat(200_000)}`);
      const one = { ...json({}), body: broken(start) };
      expect((await refusalOf(reader.readTask('ocr', one))).code).toBe('validation_failed');
      const sent = await form([['image', blobOf(host.png), 'a.png']]);
      const two = { ...inbound(sent), body: broken(sent.bytes.subarray(0, 5000)) };
      expect((await refusalOf(reader.readTask('ocr', two))).code).toBe('validation_failed');
      expect(await files()).toEqual([]);
    }));
});
