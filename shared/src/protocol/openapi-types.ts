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

/** Answers for codes, in the gateway's own shape. */
export const errors = (...codes: readonly ErrorCode[]) => errorsAs('Error', codes);
