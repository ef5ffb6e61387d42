/** `Prefer: wait=N` (RFC 7240, section 4.3). */

/** Longest wait, in seconds: below what proxies give an answer to begin. */
const LONGEST_WAIT_SECONDS = 60;

/**
 * How long the caller would wait, in whole seconds of 1–60; `undefined` where it would not. More
 * counts as 60. What cannot be read is no preference, as the RFC wants it.
 */
export function readPreferWait(header: string | null): number | undefined {
  for (const preference of (header ?? '').split(',')) {
    const [pair = ''] = preference.split(';', 1);
    const match = /^\s*wait\s*=\s*(?:"(\d{1,9})"|(\d{1,9}))\s*$/i.exec(pair);
    if (match === null) continue;
    const seconds = Number(match[1] ?? match[2]);
    return seconds === 0 ? undefined : Math.min(seconds, LONGEST_WAIT_SECONDS);
  }
  return undefined;
}
