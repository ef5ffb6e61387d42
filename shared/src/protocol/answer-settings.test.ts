import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { answerOptions, wishOf } from './answer-options.ts';
import { parseOriginSettings, SettingsError } from './settings.ts';

const parse = (env: Record<string, string>) => parseOriginSettings(env).answers;

describe('settings of answers', () => {
  it('ANSWER-10, ANSWER-13: without them nothing is named', () => {
    expect(parse({})).toEqual({ prices: {}, policies: {} });
  });

  it('ANSWER-10, ANSWER-13: prices are JSON, policies are lists of models', () => {
    expect(
      parse({
        MODEL_PRICES: '{"my-model": {"input": 0.5, "output": 1.5}}',
        POLICY_CHEAP: 'ollama/phi4, gpt-6-luna',
        POLICY_BEST: 'claude-opus-5-5',
      }),
    ).toEqual({
      prices: { 'my-model': { input: 0.5, output: 1.5 } },
      policies: { cheap: ['ollama/phi4', 'gpt-6-luna'], best: ['claude-opus-5-5'] },
    });
  });

  it('ANSWER-10, ANSWER-13: what cannot be used is refused by name, without its value', () => {
    for (const [name, value] of [
      ['MODEL_PRICES', '{'],
      ['MODEL_PRICES', '{"secret": {"input": -1, "output": 0}}'],
      ['MODEL_PRICES', '{"secret": {"input": 1}}'],
      ['MODEL_PRICES', '[]'],
      ['POLICY_FAST', 'gpt-4, secret'],
      ['POLICY_FAST', ','],
    ] as const) {
      try {
        parse({ [name]: value });
        expect.unreachable(`${name}=${value}`);
      } catch (thrown) {
        if (!(thrown instanceof SettingsError)) throw thrown;
        expect(thrown.faults.map((fault) => fault.name)).toEqual([name]);
        expect(thrown.message).not.toContain('secret');
      }
    }
  });
});

describe('options of a request', () => {
  const read = (body: object) => wishOf(z.object(answerOptions).parse(body));

  it('ANSWER-12: are named as an answer’s wish names them', () => {
    expect(
      read({
        model: 'gpt-4',
        policy: 'fast',
        fallback_models: ['echo'],
        temperature: 0,
        max_tokens: 5,
        stream: true,
        cache: { ttl_seconds: 60 },
      }),
    ).toEqual({
      model: 'gpt-4',
      policy: 'fast',
      fallbackModels: ['echo'],
      temperature: 0,
      maxTokens: 5,
      cacheSeconds: 60,
    });
    expect(read({})).toEqual({});
    expect(read({ cache: false })).toEqual({});
    expect(read({ cache: true })).toEqual({ cacheSeconds: 3600 });
  });
});
