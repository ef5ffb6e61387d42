/** The small schemas and marks that operations of the OpenAPI document are written with. */

import type { ErrorCode } from './errors.ts';
import { errorsAs } from './openapi-parts.ts';

export const text = { type: 'string' };
export const textOrNull = { type: ['string', 'null'] };
export const count = { type: 'integer', minimum: 0 };
export const time = { type: 'string', format: 'date-time' };
export const timeOrNull = { type: ['string', 'null'], format: 'date-time' };

/** The schema, or `null`. */
export const nullable = (schema: object) => ({ oneOf: [schema, { type: 'null' }] });

/** The schema, with words. */
export const described = (description: string, schema: object) => ({ ...schema, description });

export const listOf = (items: object) => ({ type: 'array', items });

/** An object; every property is required but those named. */
export const objectOf = (
  properties: Readonly<Record<string, object>>,
  optional: readonly string[] = [],
) => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});

/** Who may call: a token, the key of the gateway's own, or in DEV_MODE anybody. */
export const security = [{ caller: [] }, { internal: [] }, {}];

/** The `{id}` of a path. */
export const id = { name: 'id', in: 'path', required: true, schema: text };

/** Query parameters of a list that comes in pages. */
export const page = [
  { name: 'after', in: 'query', description: 'The last entry of the page before.', schema: text },
  {
    name: 'limit',
    in: 'query',
    schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  },
];

/** What a page says of the one after it. */
export const next_after = described(
  'For `after` of the next page; null on the last one.',
  textOrNull,
);

/** The header of an answer that says where the new thing is. */
export const location = { Location: { description: 'Where it is found.', schema: text } };

/** The request header by which the same request again is known. */
export const idempotencyKey = (description: string) => ({
  name: 'Idempotency-Key',
  in: 'header',
  description,
  schema: { type: 'string', minLength: 1, maxLength: 255 },
});

/** Answers for codes, in the gateway's own shape. */
export const errors = (...codes: readonly ErrorCode[]) => errorsAs('Error', codes);

/** What reading a list ends with where it fails. */
export const pageErrors = errors('validation_failed', 'unauthorized', 'unavailable');

/** Deletes what a caller has at `{id}`. */
export const deletion = (summary: string, gone: string, ...more: readonly ErrorCode[]) => ({
  summary,
  security,
  parameters: [id],
  responses: {
    204: { description: gone },
    ...errors('unauthorized', ...more, 'not_found', 'unavailable'),
  },
});
