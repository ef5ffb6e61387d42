import fc from 'fast-check';
import { countTokens as countWhole } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it } from 'vitest';
import { chunksOf, countTokens } from './count-tokens.ts';

const MEGABYTE = 1_000_000;

/** Letters that seem drawn by chance but are the same in every run. */
function scrambled(alphabet: string, length: number): string {
  let seed = 12_345;
  let text = '';
  while (text.length < length) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    text += alphabet[(seed >> 8) % alphabet.length];
  }
  return text;
}

describe('countTokens', () => {
  it('USAGE-1: text is counted as OpenAI counts it', async () => {
    await expect(countTokens('')).resolves.toBe(0);
    await expect(countTokens('hello world')).resolves.toBe(2);
    await expect(countTokens('Say "hi" in one word.')).resolves.toBe(8);
  });

  it('USAGE-1: names of special tokens count as the plain text they are', async () => {
    await expect(countTokens('<|endoftext|>')).resolves.toBeGreaterThan(1);
    await expect(countTokens('a <|im_start|> b <|endofprompt|>')).resolves.toBeGreaterThan(8);
  });

  it('USAGE-1: long prose counts the same in parts as in one', async () => {
    const words = fc.constantFrom(
      'The',
      'gateway’s',
      'ﬁne,',
      'x86-64',
      '"streams"',
      '…',
      '東京',
      '\n\n',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(words, { minLength: 300, maxLength: 600 }), async (parts) => {
        const text = parts.join(' ');
        expect(await countTokens(text)).toBe(countWhole(text));
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['of one letter', 'a'.repeat(MEGABYTE)],
    ['of spaces', ' '.repeat(MEGABYTE)],
    ['of newlines and slashes', '/\n'.repeat(MEGABYTE / 2)],
    ['of scrambled letters', scrambled('abcdefghijklmnopqrstuvwxyz', MEGABYTE)],
    ['of scrambled signs', scrambled('!?-+=/\n\r*&^', MEGABYTE)],
    ['of special tokens', '<|endoftext|>'.repeat(MEGABYTE / 13)],
  ])('USAGE-2: a megabyte %s takes bounded time', { timeout: 120_000 }, async (_, text) => {
    const tokens = await countTokens(text);
    expect(tokens).toBeGreaterThan(MEGABYTE / 200);
    expect(tokens).toBeLessThanOrEqual(MEGABYTE);
  });
});

describe('chunksOf', () => {
  it('USAGE-2: the parts are short, whole and together the text', () => {
    const letters = fc.constantFrom('a', ' ', '\n', 'ß', '😀', 'word ');
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 3000 }), (parts) => {
        const text = parts.join('');
        const chunks = [...chunksOf(text)];
        expect(chunks.join('')).toBe(text);
        for (const chunk of chunks) {
          expect(chunk.length).toBeLessThanOrEqual(512);
          expect(chunk).not.toMatch(/\p{Cs}/u);
        }
      }),
    );
  });
});
