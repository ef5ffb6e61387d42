import type { Json } from '@headwater/shared/tasks/task';
import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { countWords } from '@headwater/shared/text/scripts/count-words';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CONTENT_ENV, contentVendorEnv, generateContent } from '../../testing/content-task.ts';
import { contentParams } from './manifest.ts';
import { isLong } from './write-long.ts';

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startScriptedVendor();
});
afterAll(() => vendor.close());
beforeEach(() => {
  vendor.requests.length = 0;
});

/** A model that says so many words each time it is asked, in sentences of ten. */
const speaker = (words: number) =>
  scriptedPrompt({
    text: Array.from({ length: words }, (_, at) => (at % 10 === 9 ? `w${at}.` : `w${at}`)).join(
      ' ',
    ),
  });

const generate = (
  params: { readonly [name: string]: unknown },
  run: Partial<Parameters<typeof generateContent>[1]> = {},
) => generateContent({ model: 'gpt-4o', ...params }, { env: contentVendorEnv(vendor), ...run });

/** What the n-th request asked for. */
function askedOf(index: number): string {
  const body = vendor.requests[index]?.body as { messages: { content: string }[] };
  return body.messages.at(-1)?.content ?? '';
}

describe('a long text', () => {
  it.each([
    [2_000, 4_000],
    [2_000, 250],
    [5_000, 900],
    [9_000, 2_000],
  ])(
    'ENGINE-26: of %i words is within 10 % of them, though the model says %i each time',
    async (length, words) => {
      const { result, texts, bars } = await generate({ prompt: speaker(words), length });
      const text = String(result['text']);
      expect(texts.join('')).toBe(text);
      expect(result['word_count']).toBe(countWords(text));
      expect(Math.abs(countWords(text) - length)).toBeLessThanOrEqual(length * 0.1);
      expect(text.endsWith('.')).toBe(true);
      expect(result).toMatchObject({ model: 'gpt-4o', cost: { source: 'table' } });
      const fractions = bars.map(([fraction]) => fraction);
      expect(fractions).toEqual(fractions.toSorted((one, other) => one - other));
      expect(askedOf(0)).toContain('Plan it first');
      expect(askedOf(1)).toContain('Now write section 1 of');
      expect(askedOf(vendor.requests.length - 1)).toContain('It is the last one');
    },
  );

  it('ENGINE-26: goes on from its last section after a crash, shows it again, and asks for none twice', async () => {
    const params = { prompt: speaker(1_200), length: 3_600 };
    let checkpoint: Json | undefined;
    const ended = generate(params, {
      kept(value) {
        checkpoint = JSON.parse(JSON.stringify(value)) as Json;
        if ((value as { sections: string[] }).sections.length === 2) throw new Error('killed');
      },
    });
    await expect(ended).rejects.toThrow('killed');
    const before = vendor.requests.length;
    const { sections } = checkpoint as { sections: string[] };
    const { result, texts } = await generate(
      params,
      checkpoint === undefined ? {} : { checkpoint },
    );
    expect(texts[0]).toBe(sections.join(''));
    expect(texts.join('')).toBe(result['text']);
    expect(askedOf(before)).toContain('Now write section 3 of 4');
    expect(Math.abs(Number(result['word_count']) - 3_600)).toBeLessThanOrEqual(360);
    const { output_tokens } = result['usage'] as { output_tokens: number };
    // What the attempt before was charged is counted too.
    expect(output_tokens).toBeGreaterThan(3_600);
  });

  it('ENGINE-26: a checkpoint of another release is not read: it begins anew', async () => {
    await generate({ prompt: speaker(1_200), length: 2_000 }, { checkpoint: { parts: [1] } });
    expect(askedOf(0)).toContain('Plan it first');
  });

  it('ENGINE-26: of a model that says no more it is what there is; without a word it fails', async () => {
    const silent = scriptedPrompt({ text: ' ' });
    await expect(generate({ prompt: silent, length: 2_000 })).rejects.toMatchObject({
      code: 'processing_failed',
    });
  });

  it('ENGINE-26: is a text of its own of more than 1,500 words; the simulation writes what it writes', async () => {
    const long = (params: object) => isLong(contentParams.parse({ prompt: 'Hi', ...params }));
    expect([1_500, 1_501].map((length) => long({ length }))).toEqual([false, true]);
    expect(long({ length: 9_000, kind: 'guide' })).toBe(true);
    expect(long({ length: 9_000, kind: 'guide', format: 'json' })).toBe(false);
    expect(long({ length: 9_000, kind: 'translation', language: 'de' })).toBe(false);
    expect(long({ length: 9_000, schema: { type: 'object' } })).toBe(false);
    const { result } = await generateContent({ prompt: 'Hi', length: 9_000 }, { env: CONTENT_ENV });
    expect(result).toMatchObject({ simulated: true });
  });
});
