/** What Postgres can keep of a text. */

import type { Json } from '@headwater/shared/tasks/task';

/**
 * The same text with U+FFFD for what Postgres refuses, NUL and halves of surrogate pairs: one
 * UTF-16 unit for one, so that every offset stays right.
 */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

/** The same for all texts of a value, names of fields among them. */
export function storableJson(value: Json): Json {
  if (typeof value === 'string') return storableText(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(storableJson);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [storableText(name), storableJson(inner)]),
  );
}
