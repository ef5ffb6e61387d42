/** Which models the text services ask, and what they cost, as settings. */

import * as z from 'zod';
import { routeModel } from '../providers/route-model.ts';
import type { ModelPolicy } from '../text/model-policy.ts';
import type { GivenPrices } from '../text/model-prices.ts';
import { text } from './setting-types.ts';

/** More would be no price of a model, in USD per million tokens. */
const MAX_PRICE = 1_000_000;

const price = z.number().min(0).max(MAX_PRICE);

const priceList = z.record(z.string(), z.strictObject({ input: price, output: price }));

const prices = text.transform((value, context): GivenPrices => {
  const read = priceList.safeParse(parsed(value));
  if (read.success) return read.data;
  const message = 'is no JSON such as {"my-model": {"input": 0.5, "output": 1.5}}.';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** Text that is no JSON is no price list either. */
function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    // The schema refuses it, in the words of the setting.
    return undefined;
  }
}

const models = text.transform((value, context): readonly string[] => {
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length > 0 && names.every((name) => routeModel(name) !== undefined)) return names;
  const message = 'is no comma-separated list of model names that are served here.';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** Schema of the settings. */
export const ANSWER_SETTINGS = {
  MODEL_PRICES: prices.optional(),
  POLICY_CHEAP: models.optional(),
  POLICY_FAST: models.optional(),
  POLICY_BEST: models.optional(),
};

/** The settings, parsed. */
export interface AnswerSettings {
  /** Beside, and before, the built-in list. Default none. */
  readonly prices: GivenPrices;
  /** The models of each policy, the first one first. Default: chosen from those that are live. */
  readonly policies: Readonly<Partial<Record<ModelPolicy, readonly string[]>>>;
}

/** Fills in the defaults. */
export function readAnswerSettings(
  read: Partial<z.output<z.ZodObject<typeof ANSWER_SETTINGS>>>,
): AnswerSettings {
  const { POLICY_CHEAP: cheap, POLICY_FAST: fast, POLICY_BEST: best } = read;
  return {
    prices: read.MODEL_PRICES ?? {},
    policies: {
      ...(cheap === undefined ? {} : { cheap }),
      ...(fast === undefined ? {} : { fast }),
      ...(best === undefined ? {} : { best }),
    },
  };
}
