/** Puts long strings of a scanned body back where they are no files. */

import type { ByteBudget } from './byte-budget.ts';
import { isLongText, joinLongText } from './long-text.ts';

/** The value with its texts. Errors: `payload_too_large`; `validation_failed` for no JSON string. */
export async function inlineTexts(value: unknown, budget: ByteBudget): Promise<unknown> {
  if (isLongText(value)) {
    budget.take(value.bytes);
    return joinLongText(value);
  }
  if (Array.isArray(value)) {
    return Promise.all(value.map((entry) => inlineTexts(entry, budget)));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(async ([name, entry]) => [
    name,
    await inlineTexts(entry, budget),
  ]);
  return Object.fromEntries(await Promise.all(entries));
}
