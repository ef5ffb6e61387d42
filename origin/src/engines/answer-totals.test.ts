import { expect, it } from 'vitest';
import { totalsOf } from './answer-totals.ts';

const usage = { inputTokens: 100_000, outputTokens: 10_000, source: 'provider' } as const;

it('ENGINE-24: adds up the tokens and the cost of all answers, each at its own price', () => {
  const answers = [
    { model: 'gpt-4o', usage },
    { model: 'mine', usage: { ...usage, source: 'tokenizer' as const } },
    { model: 'gpt-4o-2024-08-06', usage },
  ];
  const given = { mine: { input: 1, output: 2 } };
  // A name that means no vendor has no price, whatever the setting says.
  expect(totalsOf(answers, given).cost).toBeNull();
  const routed = answers.map((answer) =>
    answer.model === 'mine' ? { ...answer, model: 'azure/mine' } : answer,
  );
  expect(totalsOf(routed, given)).toEqual({
    usage: { input_tokens: 300_000, output_tokens: 30_000, source: 'tokenizer' },
    cost: { input_usd: 0.6, output_usd: 0.22, total_usd: 0.82, source: 'settings' },
  });
});

it('ENGINE-24: is not known where one price is not known, and where nothing was answered', () => {
  const known = { model: 'gpt-4o', usage };
  expect(totalsOf([known, { model: 'azure/x', usage }], {}).cost).toBeNull();
  expect(totalsOf([known], {}).cost?.source).toBe('table');
  expect(totalsOf([], {}).cost).toBeNull();
});
