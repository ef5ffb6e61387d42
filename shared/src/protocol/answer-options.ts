/** What a caller may say of the model, in the words that every text service shares. */

import * as z from 'zod';
import { MAX_MODEL_NAME_LENGTH } from '../providers/route-model.ts';
import { MODEL_POLICIES, type ModelPolicy } from '../text/model-policy.ts';

/** Models that may take over, at most; as in `POST /init-stream`. */
const MAX_FALLBACK_MODELS = 5;

/** How old a kept answer may be where the caller does not say, and at most, in s. */
const DEFAULT_CACHE_SECONDS = 3600;
const MAX_CACHE_SECONDS = 2_592_000;

const modelName = z.string().min(1).max(MAX_MODEL_NAME_LENGTH);

/** Fields to spread into the schema of a request. */
export const answerOptions = {
  /** Goes before `policy`. */
  model: modelName.optional(),
  policy: z.enum(MODEL_POLICIES).optional(),
  fallback_models: z.array(modelName).max(MAX_FALLBACK_MODELS).optional(),
  temperature: z.number().min(0).max(2).optional(),
  max_tokens: z.int().min(1).max(1_000_000).optional(),
  /** Default false: one JSON answer. */
  stream: z.boolean().optional(),
  /** Whether an answer to an equal request will do, and how old it may be. Default false. */
  cache: z
    .union([z.boolean(), z.strictObject({ ttl_seconds: z.int().min(1).max(MAX_CACHE_SECONDS) })])
    .optional(),
};

/** The options of a request, checked. */
export type AnswerOptions = z.output<z.ZodObject<typeof answerOptions>>;

/** The same in the gateway's own words: the fields of an answer's wish. */
export interface AnswerChoice {
  readonly model?: string;
  readonly policy?: ModelPolicy;
  readonly fallbackModels?: readonly string[];
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly cacheSeconds?: number;
}

/** Names the options as an answer's wish does; `stream` is its caller's. */
export function wishOf(options: AnswerOptions): AnswerChoice {
  const {
    model,
    policy,
    fallback_models: fallbackModels,
    temperature,
    max_tokens,
    cache,
  } = options;
  const cacheSeconds = secondsOf(cache);
  return {
    ...(model === undefined ? {} : { model }),
    ...(policy === undefined ? {} : { policy }),
    ...(fallbackModels === undefined ? {} : { fallbackModels }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(max_tokens === undefined ? {} : { maxTokens: max_tokens }),
    ...(cacheSeconds === undefined ? {} : { cacheSeconds }),
  };
}

function secondsOf(cache: AnswerOptions['cache']): number | undefined {
  if (cache === undefined || cache === false) return undefined;
  return cache === true ? DEFAULT_CACHE_SECONDS : cache.ttl_seconds;
}
