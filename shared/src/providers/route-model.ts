/** Which vendor a model name means. */

import type { ProviderName } from './contract.ts';

/** Longest model name, in characters. */
export const MAX_MODEL_NAME_LENGTH = 200;

/** What {@link routeModel} accepts, in words for an error message. */
export const MODEL_FAMILIES =
  'gpt-…, chatgpt-…, o1/o3/o4…, ft:… or openai/<model> (OpenAI), azure/<deployment> (Azure OpenAI), claude-… or anthropic/<model> (Anthropic), ollama/<model> (Ollama), echo (simulation)';

/** A vendor and the name that it knows the model by. */
export interface ModelRoute {
  readonly provider: ProviderName;
  readonly model: string;
}

const PREFIXES: readonly (readonly [string, ProviderName])[] = [
  ['openai/', 'openai'],
  ['azure/', 'azure'],
  ['anthropic/', 'anthropic'],
  ['ollama/', 'ollama'],
];

const FAMILIES: readonly (readonly [RegExp, ProviderName])[] = [
  [/^(?:gpt-.|chatgpt-.|o[0-9]|ft:.)/, 'openai'],
  [/^claude-./, 'anthropic'],
  [/^echo$/, 'echo'],
];

/**
 * Routes by name alone: a vendor's prefix first (it is removed), then the family. Names are 1–200
 * printable ASCII characters without spaces; undefined is a name that means no vendor.
 */
export function routeModel(name: string): ModelRoute | undefined {
  if (name.length > MAX_MODEL_NAME_LENGTH || !/^[!-~]+$/.test(name)) return undefined;
  for (const [prefix, provider] of PREFIXES) {
    if (!name.startsWith(prefix)) continue;
    const model = name.slice(prefix.length);
    return model === '' ? undefined : { provider, model };
  }
  const family = FAMILIES.find(([pattern]) => pattern.test(name));
  return family && { provider: family[1], model: name };
}
