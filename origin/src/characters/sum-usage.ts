/** Several answers for one thing. */

import type { Usage } from '@headwater/shared/stream/event';
import type { Cost } from '@headwater/shared/text/cost';

/** Their tokens together; `null` of none. */
export function sumUsage(usages: readonly Usage[]): Usage | null {
  if (usages.length === 0) return null;
  return {
    inputTokens: sum(usages.map(({ inputTokens }) => inputTokens)),
    outputTokens: sum(usages.map(({ outputTokens }) => outputTokens)),
    source: usages.every(({ source }) => source === 'provider') ? 'provider' : 'tokenizer',
  };
}

/** Their cost together; `null` where that of one is not known. */
export function sumCost(costs: readonly (Cost | null)[]): Cost | null {
  const known = costs.filter((cost) => cost !== null);
  const [first] = known;
  if (first === undefined || known.length < costs.length) return null;
  return {
    inputUsd: sum(known.map(({ inputUsd }) => inputUsd)),
    outputUsd: sum(known.map(({ outputUsd }) => outputUsd)),
    totalUsd: sum(known.map(({ totalUsd }) => totalUsd)),
    source: first.source,
  };
}

function sum(numbers: readonly number[]): number {
  return Number(numbers.reduce((total, number) => total + number, 0).toFixed(9));
}
