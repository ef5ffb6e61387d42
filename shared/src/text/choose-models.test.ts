import { describe, expect, it } from 'vitest';
import { type ChoiceGround, chooseModels } from './choose-models.ts';
import { createFirstWords } from './first-words.ts';
import { priceOf } from './model-prices.ts';

const ground = (changes: Partial<ChoiceGround> & { live?: readonly string[] } = {}) => {
  const { live = ['openai', 'anthropic'], ...rest } = changes;
  return {
    isLive: (provider: string) => live.includes(provider),
    ollamaModels: [],
    policies: {},
    prices: {},
    words: createFirstWords(),
    ...rest,
  };
};

describe('the models of a policy', () => {
  it('ANSWER-10: `best` are the ablest, and the best one of another vendor takes over first', () => {
    expect(chooseModels('best', ground())).toEqual([
      'claude-opus-5-5',
      'gpt-6-sol',
      'claude-sonnet-5-5',
    ]);
    expect(chooseModels('best', ground({ live: ['openai'] }))).toEqual([
      'gpt-6-sol',
      'gpt-4.1',
      'gpt-6-luna',
    ]);
  });

  it('ANSWER-10: `cheap` goes by price, that of the settings before the list', () => {
    const sums = (names: readonly string[], prices = {}) =>
      names.map((name) => {
        const price = priceOf(name, prices);
        return (price?.inputUsd ?? 0) + (price?.outputUsd ?? 0);
      });
    const openai = chooseModels('cheap', ground({ live: ['openai'] }));
    expect(sums(openai)).toEqual(sums(openai).toSorted((one, other) => one - other));
    expect(openai[0]).toBe('gpt-6-luna');
    const prices = { 'gpt-4.1': { input: 0, output: 0.001 } };
    expect(chooseModels('cheap', ground({ prices }))[0]).toBe('gpt-4.1');
  });

  it('ANSWER-10: `cheap` are the operator’s own models, where Ollama is live', () => {
    const chosen = chooseModels(
      'cheap',
      ground({
        live: ['openai', 'ollama'],
        ollamaModels: ['ollama/nomic-embed-text', 'ollama/llama3.2:1b', 'ollama/phi4'],
      }),
    );
    expect(chosen).toEqual(['ollama/llama3.2:1b', 'gpt-6-luna', 'ollama/phi4']);
    expect(
      chooseModels('best', ground({ live: ['ollama'], ollamaModels: ['ollama/phi4'] })),
    ).toEqual(['ollama/phi4']);
  });

  it('ANSWER-10: `fast` goes by what was measured here, and by rank where nothing was', () => {
    expect(chooseModels('fast', ground())[0]).toBe('claude-haiku-5-5');
    const words = createFirstWords();
    words.record('openai', 'gpt-4.1', 900);
    words.record('openai', 'gpt-6-sol', 300);
    expect(chooseModels('fast', ground({ words }))).toEqual([
      'gpt-6-sol',
      'claude-haiku-5-5',
      'gpt-4.1',
    ]);
  });

  it('ANSWER-10: those of the settings go before, as far as they are live', () => {
    const policies = { fast: ['azure/mine', 'ollama/phi4', 'gpt-4', 'gpt-4o', 'gpt-4.1'] };
    expect(chooseModels('fast', ground({ policies }))).toEqual(['gpt-4', 'gpt-4o', 'gpt-4.1']);
    expect(chooseModels('fast', ground({ policies, live: ['anthropic'] }))[0]).toBe(
      'claude-haiku-5-5',
    );
  });

  it('ANSWER-10: there are none where no vendor is live', () => {
    expect(chooseModels('best', ground({ live: [] }))).toEqual([]);
    expect(chooseModels('cheap', ground({ live: ['azure'] }))).toEqual([]);
  });
});
