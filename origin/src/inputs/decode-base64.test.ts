import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeBase64 } from './decode-base64.ts';

const decode = (...pieces: string[]): Promise<Buffer> =>
  buffer(Readable.from(decodeBase64(pieces, 'image')));

it('INPUT-2: gives the bytes, in either alphabet, padded or not, however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 600 }),
      fc.constantFrom('base64', 'base64url'),
      fc.constantFrom(
        '',
        'data:image/png;base64,',
        'DATA:;BASE64,',
        'data:text/plain;charset=utf-8;base64,',
      ),
      fc.integer({ min: 1, max: 80 }),
      fc.boolean(),
      async (bytes, alphabet, head, size, hasBreaks) => {
        const digits = Buffer.from(bytes).toString(alphabet as BufferEncoding);
        const text = head + (hasBreaks ? digits.replace(/(.{7})/g, '$1\r\n') : digits);
        const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
        expect(await decode(...pieces)).toEqual(Buffer.from(bytes));
      },
    ),
    { numRuns: 500 },
  );
});

it.each([
  ['not base64!'],
  ['AAAA*'],
  ['A'],
  ['AAAAA'],
  ['AA==AA'],
  ['AA=', '=', '='],
  ['AA==', 'AAAA'],
  ['http://x'],
  ['data:image/png,AAAA'],
  ['data:image/svg+xml;utf8,<svg/>'],
  ['data:image/png;base64'],
  [`data:${'x'.repeat(300)};base64,AAAA`],
])('INPUT-2: %j is refused', async (...pieces) => {
  const refusal = { code: 'validation_failed', message: expect.stringMatching(/^image is /) };
  await expect(decode(...pieces)).rejects.toMatchObject(refusal);
});
