/**
 * What models cost and how they compare.
 *
 * The prices are list prices for requests of usual length, without discounts for cached or batched
 * tokens and without surcharges for very long prompts, as far as they could be found in November
 * 2026: Anthropic's current models from
 * https://platform.claude.com/docs/en/about-claude/pricing, its older ones and OpenAI's from model
 * pages and from pages that cite https://platform.openai.com/docs/pricing. Prices change: the
 * setting `MODEL_PRICES` goes before this table.
 */

import type { ProviderName } from '../providers/contract.ts';
import { routeModel } from '../providers/route-model.ts';
import type { Price } from './cost.ts';

/** A model that a policy may choose. Ranks are by the vendors' own comparisons; 1 is the first. */
export interface RankedModel {
  readonly model: string;
  readonly provider: ProviderName;
  /** Among all of them: how able, and how soon it begins to answer. */
  readonly bestRank: number;
  readonly fastRank: number;
}

/**
 * Anthropic compares its models at https://platform.claude.com/docs/en/models/overview, OpenAI its
 * own at https://developers.openai.com/api/docs/models. Each vendor's current range stands here;
 * between the vendors, models of one price stand beside each other.
 */
export const RANKED_MODELS: readonly RankedModel[] = [
  { model: 'claude-opus-5-5', provider: 'anthropic', bestRank: 1, fastRank: 5 },
  { model: 'gpt-6-sol', provider: 'openai', bestRank: 2, fastRank: 6 },
  { model: 'claude-sonnet-5-5', provider: 'anthropic', bestRank: 3, fastRank: 4 },
  { model: 'gpt-4.1', provider: 'openai', bestRank: 4, fastRank: 3 },
  { model: 'claude-haiku-5-5', provider: 'anthropic', bestRank: 5, fastRank: 1 },
  { model: 'gpt-6-luna', provider: 'openai', bestRank: 6, fastRank: 2 },
];

/** Input and output, in USD per million tokens. */
const PRICES: Readonly<Record<string, readonly [input: number, output: number]>> = {
  'gpt-6-astra': [10, 50],
  'gpt-6-sol': [2, 10],
  'gpt-6-luna': [0.1, 0.5],
  'gpt-5.6-sol': [4, 20],
  'gpt-5.6-terra': [2, 12],
  'gpt-5.6-luna': [0.2, 1.2],
  'gpt-5.4': [2.5, 15],
  'gpt-5.4-mini': [0.75, 4.5],
  'gpt-5.2': [1.75, 14],
  'gpt-5.1': [1.25, 10],
  'gpt-5': [1.25, 10],
  'gpt-5-mini': [0.25, 2],
  'gpt-5-nano': [0.05, 0.4],
  'gpt-4.1': [2, 8],
  'gpt-4.1-mini': [0.4, 1.6],
  'gpt-4.1-nano': [0.1, 0.4],
  'gpt-4o': [2.5, 10],
  'gpt-4o-mini': [0.15, 0.6],
  'gpt-4-turbo': [10, 30],
  'gpt-4': [30, 60],
  'gpt-3.5-turbo': [0.5, 1.5],
  o1: [15, 60],
  o3: [2, 8],
  'o3-mini': [1.1, 4.4],
  'o4-mini': [1.1, 4.4],
  'claude-fable-5-1': [10, 50],
  'claude-opus-5-5': [4, 20],
  'claude-opus-5': [5, 25],
  'claude-opus-4-8': [5, 25],
  'claude-opus-4-7': [5, 25],
  'claude-opus-4-6': [5, 25],
  'claude-opus-4-5': [5, 25],
  'claude-opus-4-1': [15, 75],
  'claude-sonnet-5-5': [2, 10],
  'claude-sonnet-5': [2, 10],
  'claude-sonnet-4-6': [3, 15],
  'claude-sonnet-4-5': [3, 15],
  'claude-haiku-5-5': [0.1, 0.5],
  'claude-haiku-4-5': [1, 5],
  'claude-3-5-haiku': [0.8, 4],
  'claude-3-haiku': [0.25, 1.25],
};

/** Prices of the setting `MODEL_PRICES`, by model name. */
export type GivenPrices = Readonly<
  Record<string, { readonly input: number; readonly output: number }>
>;

/** A dated snapshot costs what its model costs. */
const SNAPSHOT = /-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$/;

/**
 * The price of a model by the name it was asked for; `undefined` where nobody knows it. `given` goes
 * before the table, by that name or by the vendor's own. What runs on the operator's machine, and
 * the simulation, is free.
 */
export function priceOf(name: string, given: GivenPrices = {}): Price | undefined {
  const route = routeModel(name);
  if (route === undefined) return undefined;
  const { provider, model } = route;
  for (const key of [name, model, `${provider}/${model}`]) {
    const own = Object.hasOwn(given, key) ? given[key] : undefined;
    if (own !== undefined) {
      return { inputUsd: own.input, outputUsd: own.output, source: 'settings' };
    }
  }
  if (provider === 'ollama' || provider === 'echo') {
    return { inputUsd: 0, outputUsd: 0, source: 'table' };
  }
  // A deployment of Azure has any name, whatever it runs.
  if (provider === 'azure') return undefined;
  const listed = PRICES[model] ?? PRICES[model.replace(SNAPSHOT, '')];
  if (listed === undefined) return undefined;
  return { inputUsd: listed[0], outputUsd: listed[1], source: 'table' };
}
