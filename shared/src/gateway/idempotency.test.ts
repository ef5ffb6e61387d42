import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseInitStream } from '../protocol/init-stream.ts';
import { canonicalJson, fingerprintOf, readIdempotencyKey } from './idempotency.ts';

const BODY = {
  prompt: 'hi',
  resumeUrl: 'https://n8n.example/webhook-waiting/1?signature=a',
  userId: 'u1',
};

const fingerprint = (body: Record<string, unknown>) => fingerprintOf(parseInitStream(body));

it('IDEM-7: a key is 1–255 printable ASCII characters', () => {
  expect(readIdempotencyKey(null)).toBeUndefined();
  for (const key of ['a', ' ~', '"quoted"', 'x'.repeat(255)]) {
    expect(readIdempotencyKey(key)).toBe(key);
  }
  for (const key of ['', 'x'.repeat(256), 'é', 'a\tb', 'a\nb', '\u007f', '\u{1F30A}']) {
    expect(() => readIdempotencyKey(key)).toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        details: { fields: [expect.objectContaining({ path: 'Idempotency-Key' })] },
      }),
    );
  }
});

it('IDEM-2: requests are equal whatever the order of their fields, their token, and defaults spelled out', async () => {
  const expected = await fingerprint(BODY);
  expect(expected).toMatch(/^[0-9a-f]{64}$/);
  const { prompt, resumeUrl, userId } = BODY;
  expect(await fingerprint({ userId, resumeUrl, prompt })).toBe(expected);
  expect(await fingerprint({ ...BODY, n8nToken: 'newer' })).toBe(expected);
  expect(await fingerprint({ ...BODY, max_tokens: 4096, start: 'connect' })).toBe(expected);
  expect(await fingerprint({ ...BODY, somethingUnknown: 1 })).toBe(expected);
});

it.each<[string, Record<string, unknown>]>([
  ['the prompt', { prompt: 'hi ' }],
  ['the callback', { resumeUrl: `${BODY.resumeUrl}&x=1` }],
  ['the user', { userId: 'u2' }],
  ['the chat', { chatId: 'c1' }],
  ['the model', { model: 'echo' }],
  ['the fallback models', { fallbackModels: ['echo'] }],
  ['the bound', { max_tokens: 4095 }],
  ['the temperature', { temperature: 0 }],
  ['the start', { start: 'now' }],
  ['the disconnect policy', { onDisconnect: 'drain' }],
])('IDEM-2: requests that differ in %s are two', async (_what, change) => {
  expect(await fingerprint({ ...BODY, ...change })).not.toBe(await fingerprint(BODY));
});

it('IDEM-2: canonical JSON is the same value, whatever order its fields came in', () => {
  const shuffle = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(shuffle);
    const entries = Object.entries(value).map(([name, field]) => [name, shuffle(field)]);
    return Object.fromEntries(entries.reverse());
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(shuffle(value))).toBe(canonicalJson(value));
    }),
    { seed: 7 },
  );
  expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: '1' })).toBe('{"a":"1","b":[{"c":2,"d":1}]}');
});
