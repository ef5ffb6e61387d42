/** Reads when a vendor allows the next attempt. */

/**
 * Seconds until the same request may work, by `retry-after-ms` (which OpenAI sends too) or
 * `Retry-After` as seconds or an HTTP date (RFC 9110 §10.2.3). Undefined when absent or unreadable;
 * never negative. `nowMs` is the time that a date counts from.
 */
export function readRetryAfterSeconds(
  headers: Headers | undefined,
  nowMs: number = Date.now(),
): number | undefined {
  const milliseconds = wholeNumber(headers?.get('retry-after-ms'));
  if (milliseconds !== undefined) return Math.ceil(milliseconds / 1000);
  const value = headers?.get('retry-after')?.trim();
  if (!value) return undefined;
  const seconds = wholeNumber(value);
  if (seconds !== undefined) return Math.ceil(seconds);
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, Math.ceil((dateMs - nowMs) / 1000));
}

function wholeNumber(text: string | null | undefined): number | undefined {
  return text && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : undefined;
}
