import { describe, expect, it } from 'vitest';
import { routeModel } from '../providers/route-model.ts';
import { costOf } from './cost.ts';
import { priceOf, RANKED_MODELS } from './model-prices.ts';

describe('prices', () => {
  it('ANSWER-13: a model has its list’s price under every name that leads to it', () => {
    const listed = { inputUsd: 2.5, outputUsd: 10, source: 'table' };
    for (const name of ['gpt-4o', 'openai/gpt-4o', 'gpt-4o-2024-08-06']) {
      expect(priceOf(name), name).toEqual(listed);
    }
    expect(priceOf('claude-haiku-4-5-20251001')).toMatchObject({ inputUsd: 1, outputUsd: 5 });
    expect(priceOf('claude-3-5-haiku-latest')).toMatchObject({ inputUsd: 0.8 });
  });

  it('ANSWER-13: nobody knows the price of any other, and what runs at home is free', () => {
    for (const name of ['gpt-99', 'ft:gpt-4o:me', 'azure/gpt-4o', 'what', 'constructor']) {
      expect(priceOf(name), name).toBeUndefined();
    }
    expect(priceOf('ollama/phi4')).toEqual({ inputUsd: 0, outputUsd: 0, source: 'table' });
    expect(priceOf('echo')).toMatchObject({ outputUsd: 0 });
  });

  it('ANSWER-13: the settings go before the list', () => {
    const price = { input: 1, output: 2 };
    const given = { 'gpt-4o': price, 'azure/mine': price, 'ollama/phi4': price };
    for (const name of ['gpt-4o', 'openai/gpt-4o', 'azure/mine', 'ollama/phi4']) {
      expect(priceOf(name, given), name).toEqual({
        inputUsd: 1,
        outputUsd: 2,
        source: 'settings',
      });
    }
  });

  it('ANSWER-10: every ranked model has a price, a vendor and ranks of its own', () => {
    for (const { model, provider } of RANKED_MODELS) {
      expect(priceOf(model), model).toBeDefined();
      expect(routeModel(model)?.provider).toBe(provider);
    }
    for (const rank of ['bestRank', 'fastRank'] as const) {
      const ranks = RANKED_MODELS.map((model) => model[rank]).toSorted((a, b) => a - b);
      expect(ranks).toEqual(RANKED_MODELS.map((_, at) => at + 1));
    }
  });
});

describe('costs', () => {
  const price = { inputUsd: 0.15, outputUsd: 0.6, source: 'table' } as const;

  it('ANSWER-13: a cost is tokens by price, to a billionth of a dollar', () => {
    expect(costOf({ inputTokens: 7, outputTokens: 3 }, price)).toEqual({
      inputUsd: 0.00000105,
      outputUsd: 0.0000018,
      totalUsd: 0.00000285,
      source: 'table',
    });
  });

  it('ANSWER-13: without a price, or tokens, there is none', () => {
    expect(costOf({ inputTokens: 7, outputTokens: 3 }, undefined)).toBeNull();
    expect(costOf(null, price)).toBeNull();
  });
});
