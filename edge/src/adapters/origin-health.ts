/** What the origin says of itself, for the edge's own health. */

import type { Health } from '@headwater/shared/gateway/health';

/** How long an answer is believed, in ms: `/health` is open, and must not become a lever. */
const BELIEVED_MS = 5_000;
const ANSWER_TIMEOUT_MS = 1_000;

let last: { readonly atMs: number; readonly health: Promise<Health | undefined> } | undefined;

/** The health of the first origin that answers; `undefined` where none does. */
export function originHealth(originUrls: readonly string[]): Promise<Health | undefined> {
  const nowMs = Date.now();
  if (last === undefined || nowMs - last.atMs > BELIEVED_MS) {
    last = { atMs: nowMs, health: ask(originUrls) };
  }
  return last.health;
}

async function ask(originUrls: readonly string[]): Promise<Health | undefined> {
  for (const base of originUrls) {
    try {
      const response = await fetch(new URL('/health', base), {
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      if (response.ok) return (await response.json()) as Health;
      await response.body?.cancel();
    } catch {
      // This origin is down; the next may be up.
    }
  }
  return undefined;
}
