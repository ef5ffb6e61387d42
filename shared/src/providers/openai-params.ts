/** Wishes in OpenAI's words, at vendors that do not speak its protocol. */

import { GatewayError } from '../protocol/errors.ts';
import type { ModelRequest } from './contract.ts';

/**
 * Parameters that change what an answer looks like: a caller that asked for one of them would misread
 * an answer given without it. Each with the test whether it asks for anything. What is not named here
 * (`seed`, `user`, `reasoning_effort` …) may be left out in silence, as OpenAI itself does with some.
 */
const SHAPING: Readonly<Record<string, (value: unknown) => boolean>> = {
  response_format: (value) => (value as { type?: unknown } | null)?.type !== 'text',
  n: (value) => value !== 1,
  logprobs: (value) => value !== false,
  top_logprobs: (value) => value !== 0,
  modalities: (value) => !Array.isArray(value) || value.some((kind) => kind !== 'text'),
  audio: () => true,
  functions: () => true,
  function_call: (value) => value !== 'none',
  web_search_options: () => true,
};

/**
 * Throws `validation_failed`, naming the fields, where a request asks for what `vendor` cannot do.
 * `honoured` names those that the vendor's adapter takes care of itself.
 */
export function refuseShapingParams(
  request: ModelRequest,
  vendor: string,
  honoured: readonly string[] = [],
): void {
  const asked = Object.entries(request.openaiParams ?? {}).filter(
    ([name, value]) => value != null && SHAPING[name]?.(value) && !honoured.includes(name),
  );
  if (asked.length === 0) return;
  throw notOffered(
    vendor,
    asked.map(([name]) => name),
  );
}

/** `validation_failed` for fields that `vendor` has nothing like. */
export function notOffered(vendor: string, fields: readonly string[]): GatewayError {
  return new GatewayError(
    'validation_failed',
    `${vendor} cannot do what these fields ask for: ${fields.join(', ')}.`,
    { details: { fields: fields.map((path) => ({ path, message: `not offered by ${vendor}` })) } },
  );
}
