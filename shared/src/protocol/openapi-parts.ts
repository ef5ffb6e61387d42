/** Pieces that every part of the OpenAPI document is put together from. */

import { ERROR_TABLE, type ErrorCode } from './errors.ts';

/** A body that is JSON. */
export const json = (schema: object) => ({ content: { 'application/json': { schema } } });

/** A reference to a schema of `components`. */
export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** A 200 answer in JSON. */
export const ok = (description: string, schema: object) => ({
  200: { description, ...json(schema) },
});

/** Statuses of rate and outage: where the gateway knows when to come back, it says so. */
const MAY_SAY_WHEN: readonly string[] = ['429', '503'];

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds, where they are known.', schema: { type: 'integer' } },
};

/** Answers for codes of the one table, by status, as the named schema shows them. */
export function errorsAs(schema: string, codes: readonly ErrorCode[]): Record<string, object> {
  const byStatus = Map.groupBy(codes, (code) => String(ERROR_TABLE[code].status));
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: same.join(', '),
        ...(MAY_SAY_WHEN.includes(status) ? { headers: RETRY_AFTER } : {}),
        ...json(ref(schema)),
      },
    ]),
  );
}

/** What OpenAPI knows of one path: an operation a method. */
type Paths = Readonly<Record<string, object>>;

/** The same paths, each operation under a heading. */
export function under(tag: string, paths: Paths): Record<string, object> {
  return Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => [
          method,
          { tags: [tag], ...operation },
        ]),
      ),
    ]),
  );
}
