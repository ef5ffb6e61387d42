import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { FIXED_ANSWER, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CONTENT_ENV, contentVendorEnv, generateContent } from '../../testing/content-task.ts';
import { contentParams } from './manifest.ts';

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startScriptedVendor();
});
afterAll(() => vendor.close());
beforeEach(() => {
  vendor.requests.length = 0;
});

/** Where nothing listens. */
const NOWHERE = 'http://127.0.0.1:9/v1';

const generate = (
  params: { readonly [name: string]: unknown },
  more: Record<string, string> = {},
) => generateContent(params, { env: { ...contentVendorEnv(vendor), ...more } });

describe('the models of content generation', () => {
  it('ENGINE-23: a policy chooses where no model is named, the setting first', async () => {
    const prompt = 'Tell me.';
    const best = await generate({ prompt, policy: 'best' });
    expect(best.result).toMatchObject({ model: 'claude-opus-5-5', provider: 'anthropic' });
    const set = await generate({ prompt, policy: 'best' }, { POLICY_BEST: 'gpt-4o-mini' });
    expect(set.result).toMatchObject({ model: 'gpt-4o-mini', provider: 'openai' });
    const named = await generate({ prompt, policy: 'best', model: 'gpt-4o' });
    expect(named.result).toMatchObject({ model: 'gpt-4o' });
    const none = await generateContent({ prompt, policy: 'cheap' }, { env: CONTENT_ENV });
    expect(none.result).toMatchObject({ provider: 'echo', simulated: true });
  });

  it('ENGINE-23: the next model takes over before the first word, and the result names it', async () => {
    const params = { prompt: 'Tell me.', model: 'gpt-4o', fallback_models: ['claude-haiku-5-5'] };
    const { result, texts } = await generate(params, { OPENAI_BASE_URL: NOWHERE });
    expect(result).toMatchObject({
      text: FIXED_ANSWER,
      model: 'claude-haiku-5-5',
      provider: 'anthropic',
    });
    expect(texts.join('')).toBe(FIXED_ANSWER);
    const alone = generate({ prompt: 'Tell me.', model: 'gpt-4o' }, { OPENAI_BASE_URL: NOWHERE });
    await expect(alone).rejects.toMatchObject({ code: 'upstream_failed' });
  });

  it('ENGINE-23: after the first word nobody takes over: what was shown cannot be taken back', async () => {
    const prompt = scriptedPrompt({ fault: 'cut', afterTokens: 3 });
    const params = { prompt, model: 'gpt-4o', fallback_models: ['claude-haiku-5-5'] };
    await expect(generate(params)).rejects.toMatchObject({ code: 'upstream_failed' });
    expect(vendor.requests).toHaveLength(1);
  });

  it('ENGINE-23: a name that means no vendor is refused with its place, and so are too many', () => {
    const faults = (fallback_models: string[]) =>
      contentParams
        .safeParse({ prompt: 'Hi', fallback_models })
        .error?.issues.map(({ path }) => path.join('.'));
    expect(faults(['gpt-4o', 'nobody'])).toEqual(['fallback_models.1']);
    expect(faults(Array.from({ length: 6 }, () => 'gpt-4o'))).toEqual(['fallback_models']);
    expect(contentParams.safeParse({ prompt: 'Hi', policy: 'worst' }).success).toBe(false);
  });

  it('ENGINE-24: says what it cost, by the list, by the setting, or that nobody knows', async () => {
    const prompt = scriptedPrompt({ text: 'four words of text' });
    const listed = await generate({ prompt, model: 'gpt-4o' });
    const { usage, cost } = listed.result as {
      usage: { input_tokens: number; output_tokens: number };
      cost: Record<string, number | string>;
    };
    // gpt-4o: $2.5 and $10 for a million tokens.
    const input_usd = Number(((usage.input_tokens * 2.5) / 1e6).toFixed(9));
    expect(cost).toEqual({
      input_usd,
      output_usd: 0.00004,
      total_usd: Number((input_usd + 0.00004).toFixed(9)),
      source: 'table',
    });
    const MODEL_PRICES = '{"gpt-4o":{"input":0,"output":1000000}}';
    const set = await generate({ prompt, model: 'gpt-4o' }, { MODEL_PRICES });
    expect(set.result['cost']).toMatchObject({ input_usd: 0, output_usd: 4, source: 'settings' });
    const unknown = await generate({ prompt, model: 'gpt-nobody-knows' });
    expect(unknown.result).toMatchObject({ cost: null, usage: { output_tokens: 4 } });
    const local = await generate({ prompt, model: 'ollama/llama3' });
    expect(local.result['cost']).toMatchObject({ total_usd: 0 });
  });
});
