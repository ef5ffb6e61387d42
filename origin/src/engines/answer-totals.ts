/** What the answers of a task took together, as its result says it. */

import type { Usage, UsageSource } from '@headwater/shared/stream/event';
import { costOf } from '@headwater/shared/text/cost';
import { type GivenPrices, priceOf } from '@headwater/shared/text/model-prices';

/** An answer, or what one model gave in several. */
export interface CountedAnswer {
  /** As it was asked for. */
  readonly model: string;
  readonly usage: Usage;
}

/** A type, not an interface: it is JSON. */
export type AnswerTotals = {
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    /** `provider` where all counts are the vendors' own. */
    readonly source: UsageSource;
  };
  /** `null` where the price of one of the models is not known. */
  readonly cost: {
    readonly input_usd: number;
    readonly output_usd: number;
    readonly total_usd: number;
    /** `settings` where one of the prices is. */
    readonly source: 'table' | 'settings';
  } | null;
};

/** Adds them up; `given` are the prices of the setting `MODEL_PRICES`. */
export function totalsOf(answers: readonly CountedAnswer[], given: GivenPrices): AnswerTotals {
  const isVendors = answers.every(({ usage }) => usage.source === 'provider');
  return {
    usage: {
      input_tokens: sum(answers.map(({ usage }) => usage.inputTokens)),
      output_tokens: sum(answers.map(({ usage }) => usage.outputTokens)),
      source: isVendors ? 'provider' : 'tokenizer',
    },
    cost: sumCosts(answers, given),
  };
}

function sumCosts(answers: readonly CountedAnswer[], given: GivenPrices): AnswerTotals['cost'] {
  const costs = answers.map(({ model, usage }) => costOf(usage, priceOf(model, given)));
  const known = costs.filter((cost) => cost !== null);
  if (known.length === 0 || known.length < costs.length) return null;
  const usd = (amounts: readonly number[]) => Number(sum(amounts).toFixed(9));
  return {
    input_usd: usd(known.map(({ inputUsd }) => inputUsd)),
    output_usd: usd(known.map(({ outputUsd }) => outputUsd)),
    total_usd: usd(known.map(({ totalUsd }) => totalUsd)),
    source: known.some(({ source }) => source === 'settings') ? 'settings' : 'table',
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
