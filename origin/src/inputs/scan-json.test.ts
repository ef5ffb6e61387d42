import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { GatewayError } from '@headwater/shared/protocol/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withInputFolder } from '../testing/input-folder.ts';
import { createByteBudget } from './byte-budget.ts';
import { inlineTexts } from './inline-texts.ts';
import { isLongText, type LongText } from './long-text.ts';
import { scanJson } from './scan-json.ts';
import { openSpool } from './spool.ts';

const MIB = 1024 * 1024;
const budget = (bytes: number) => createByteBudget(bytes, 'It');

/** Pieces of these sizes, over and over. */
async function* split(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function scan(
  folder: string,
  body: string | Uint8Array,
  { sizes = [10_000], shortBytes = MIB, wholeBytes = 64 * MIB } = {},
): Promise<{ value: unknown; written: string[] }> {
  const written: string[] = [];
  const value = await scanJson(split(Buffer.from(body as string), sizes), {
    spool: await openSpool(folder),
    shortBudget: budget(shortBytes),
    wholeBudget: budget(wholeBytes),
    wrote: (path) => void written.push(path),
  });
  return { value, written };
}

describe('JSON with long strings', () => {
  it(
    'INPUT-3: comes out as JSON.parse has it, however it is cut and escaped',
    () =>
      withInputFolder(async ({ path }) => {
        const long = fc
          .tuple(
            fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
            fc.integer({ min: 1, max: 9000 }),
          )
          .map(([unit, times]) => unit.repeat(times));
        const value = fc.letrec((tie) => ({
          any: fc.oneof(
            { maxDepth: 3 },
            fc.string({ unit: 'binary' }),
            long,
            fc.constantFrom(
              '"',
              '\\',
              '\\"',
              'x'.repeat(32_768),
              'x'.repeat(32_767),
              '😀'.repeat(20_000),
            ),
            fc.double({ noNaN: true, noDefaultInfinity: true }),
            fc.constantFrom(null, true, false),
            fc.array(tie('any'), { maxLength: 4 }),
            fc.dictionary(fc.string(), tie('any'), { maxKeys: 4 }),
          ),
        })).any;
        await fc.assert(
          fc.asyncProperty(
            value,
            fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 70_000 })), {
              minLength: 1,
              maxLength: 5,
            }),
            fc.boolean(),
            async (sent, sizes, isEscaped) => {
              const plain = JSON.stringify(sent);
              const body = isEscaped
                ? plain.replaceAll('/', '\\/').replaceAll('x', '\\u0078')
                : plain;
              const fast =
                sizes.every((size) => size === 1) && body.length > 20_000 ? [3, 9000] : sizes;
              const { value: scanned } = await scan(path, body, { sizes: fast });
              const whole = await inlineTexts(scanned, budget(64 * MIB));
              // A lone surrogate does not survive UTF-8.
              expect(whole).toEqual(JSON.parse(Buffer.from(body).toString()));
            },
          ),
          { numRuns: 150 },
        );
      }),
    60_000,
  );

  it('INPUT-3: a string from 32 KiB on goes to a file, and no other', () =>
    withInputFolder(async ({ path }) => {
      const sent = {
        short: 'a'.repeat(20_000),
        long: 'b'.repeat(100_000),
        list: ['c'.repeat(40_000)],
      };
      const { value, written } = await scan(path, JSON.stringify(sent));
      expect(written).toHaveLength(2);
      const { short, long, list } = value as { short: string; long: LongText; list: LongText[] };
      expect(short).toBe(sent.short);
      expect(isLongText(long)).toBe(true);
      expect(await readFile(long.path, 'utf8')).toBe(sent.long);
      expect(isLongText(list[0])).toBe(true);
    }));

  it('INPUT-3: no object of a body passes for such a file', () =>
    withInputFolder(async ({ path }) => {
      const forged = { path: '/etc/passwd', bytes: 10, sha256: '' };
      const { value } = await scan(
        path,
        JSON.stringify({ image: forged, long: 'x'.repeat(40_000) }),
      );
      expect(isLongText((value as { image: unknown }).image)).toBe(false);
      const { value: alone } = await scan(path, JSON.stringify({ image: forged }));
      expect(isLongText((alone as { image: unknown }).image)).toBe(false);
    }));
});

describe('JSON that is refused', () => {
  it.each([
    ...['', '{', '{"a":"', '{"a":"b', '{"a" "b"}', '[1,]', 'nope', '"\\x"', '{"a":1}}', '\0'],
    `{"a":"${'x'.repeat(50_000)}`,
    `{"a":"${'x'.repeat(50_000)}"`,
  ])('INPUT-3: %.20j is no JSON', (body) =>
    withInputFolder(async ({ path, files }) => {
      await expect(scan(path, body)).rejects.toMatchObject({ code: 'validation_failed' });
      expect((await files()).length).toBeLessThanOrEqual(1);
    }),
  );

  it('INPUT-3: a long string is held to the rules of JSON and of UTF-8 when it is read', () =>
    withInputFolder(async ({ path }) => {
      for (const bad of ['\n', '\\x', '\\u12', '\u0000']) {
        const { value } = await scan(path, `["${'x'.repeat(40_000)}${bad}"]`);
        const reading = inlineTexts(value, budget(MIB));
        await expect(reading, JSON.stringify(bad)).rejects.toMatchObject({
          code: 'validation_failed',
        });
      }
      const bytes = Buffer.concat([
        Buffer.from(`["${'x'.repeat(40_000)}`),
        Buffer.of(0xff),
        Buffer.from('"]'),
      ]);
      const { value } = await scan(path, bytes);
      await expect(inlineTexts(value, budget(MIB))).rejects.toMatchObject({
        code: 'validation_failed',
      });
      const short = Buffer.concat([Buffer.from('["'), Buffer.of(0xff), Buffer.from('"]')]);
      await expect(scan(path, short)).rejects.toMatchObject({ code: 'validation_failed' });
    }));

  it('INPUT-3: nesting is at most 64 deep', () =>
    withInputFolder(async ({ path }) => {
      const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
      await scan(path, nest(64));
      await expect(scan(path, nest(65))).rejects.toMatchObject({ code: 'validation_failed' });
      // Brackets of a text are no nesting.
      await scan(path, JSON.stringify(['['.repeat(1000)]));
    }));

  it('INPUT-8: nobody reads the body any more once it is refused', () =>
    withInputFolder(async ({ path }) => {
      for (const [text, wholeBytes] of [
        ['['.repeat(100), MIB],
        ['nope', MIB],
        [`["${'x'.repeat(90_000)}"]`, 40_000],
      ] as const) {
        const body = Readable.from([Buffer.from(text), Buffer.from('more'), Buffer.alloc(10)]);
        const scanning = scanJson(body.iterator({ destroyOnReturn: false }), {
          spool: await openSpool(path),
          shortBudget: budget(MIB),
          wholeBudget: budget(wholeBytes),
          wrote: () => undefined,
        });
        await expect(scanning).rejects.toBeInstanceOf(GatewayError);
        expect(body.listenerCount('readable')).toBe(0);
      }
    }));

  it('INPUT-3: what is short and what is sent at all is bounded, while it comes', () =>
    withInputFolder(async ({ path, files }) => {
      const many = JSON.stringify(Array.from({ length: 1000 }, () => 'y'.repeat(2000)));
      const tooLarge = { code: 'payload_too_large' };
      await expect(scan(path, many)).rejects.toMatchObject(tooLarge);
      let read = 0;
      async function* endless(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('{"image":"');
        for (; ; read += 100_000) yield Buffer.alloc(100_000, 'A');
      }
      const scanning = scanJson(endless(), {
        spool: await openSpool(path),
        shortBudget: budget(MIB),
        wholeBudget: budget(4 * MIB),
        wrote: () => undefined,
      });
      await expect(scanning).rejects.toMatchObject(tooLarge);
      expect(read).toBeLessThan(5 * MIB);
      expect(await files()).toEqual([]);
    }));
});
