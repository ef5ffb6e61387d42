/** Callers who come again with the same token: it is verified once in a while, not with each call. */

import { decodeJwt } from 'jose';
import type { Caller } from '../security/caller-claims.ts';

/** Longest time for which a token is not verified again, in ms: a key may be withdrawn meanwhile. */
const REMEMBER_MS = 60_000;

/** Tokens that are remembered; then those that came first are forgotten. */
const MAX_TOKENS = 1_000;

interface Remembered {
  readonly caller: Promise<Caller>;
  /** Before this it need not be verified again. */
  untilMs: number;
}

/**
 * Wraps `verify`. A token that was found good is remembered for a minute, and never beyond its
 * `exp`; one that was refused is not. Calls that come while it is verified wait for the same answer.
 */
export function rememberCallers(
  verify: (token: string) => Promise<Caller>,
  nowMs: () => number = Date.now,
): (token: string) => Promise<Caller> {
  const remembered = new Map<string, Remembered>();

  function forget(token: string, entry: Remembered): void {
    if (remembered.get(token) === entry) remembered.delete(token);
  }

  async function ask(token: string): Promise<Caller> {
    const caller = await verify(token);
    const entry = remembered.get(token);
    // Verified with some seconds of grace for other clocks: those are for verifying alone.
    if (entry !== undefined) entry.untilMs = Math.min(entry.untilMs, expiryMs(token));
    return caller;
  }

  return (token) => {
    const known = remembered.get(token);
    if (known !== undefined && nowMs() < known.untilMs) return known.caller;
    const entry: Remembered = { caller: ask(token), untilMs: nowMs() + REMEMBER_MS };
    remembered.delete(token);
    remembered.set(token, entry);
    const [first] = remembered.keys();
    if (remembered.size > MAX_TOKENS && first !== undefined) remembered.delete(first);
    // Whoever asked hears of it.
    entry.caller.catch(() => forget(token, entry));
    return entry.caller;
  };
}

/** Verified already: it is one, and has an `exp`. */
function expiryMs(token: string): number {
  return (decodeJwt(token).exp ?? 0) * 1000;
}
