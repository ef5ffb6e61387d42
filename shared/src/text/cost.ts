/** What an answer costs. */

import type { Usage } from '../stream/event.ts';

/** A price list's entry, in USD per million tokens. */
export interface Price {
  readonly inputUsd: number;
  readonly outputUsd: number;
  /** `settings` where `MODEL_PRICES` names the model, else the built-in `table`. */
  readonly source: 'table' | 'settings';
}

/** The cost of one answer, in USD. */
export interface Cost {
  readonly inputUsd: number;
  readonly outputUsd: number;
  readonly totalUsd: number;
  /** Whose price it was counted with. */
  readonly source: Price['source'];
}

const MILLION = 1_000_000;

/** Counts. `null` where nobody knows the price, or how many tokens there were. */
export function costOf(
  usage: Pick<Usage, 'inputTokens' | 'outputTokens'> | null,
  price: Price | undefined,
): Cost | null {
  if (usage === null || price === undefined) return null;
  const inputUsd = roundUsd((usage.inputTokens * price.inputUsd) / MILLION);
  const outputUsd = roundUsd((usage.outputTokens * price.outputUsd) / MILLION);
  return { inputUsd, outputUsd, totalUsd: roundUsd(inputUsd + outputUsd), source: price.source };
}

/** To a billionth of a dollar: finer than any price, and free of the tails of binary fractions. */
function roundUsd(usd: number): number {
  return Number(usd.toFixed(9));
}
