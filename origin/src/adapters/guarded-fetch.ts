/** `fetch` that looks where a name leads before it connects. */

import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { type CallbackPolicy, mayDialAddress } from '@headwater/shared/security/callback-guard';
import { isListedHost } from '@headwater/shared/security/host-list';
import { Agent, fetch as undiciFetch } from 'undici';

/**
 * Makes the fetch. Every address a name resolves to must be allowed, and the connection goes to
 * one of the very addresses that were looked at, so a name that changes its mind gains nothing.
 */
export function createGuardedFetch(
  policy: CallbackPolicy,
): (url: string, init: RequestInit) => Promise<Response> {
  const lookup: LookupFunction = (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, []);
      const url = new URL(`http://${hostname}/`);
      const refused = addresses.find(({ address }) => !mayDialAddress(address, url, policy));
      if (refused !== undefined) return done(new Error('the name leads to a private address'), []);
      const [first] = addresses;
      if (options.all === true) return done(null, addresses);
      return done(null, first?.address ?? '', first?.family);
    });
  };
  const guarded = new Agent({ connect: { lookup, timeout: 10_000 } });
  const open = new Agent({ connect: { timeout: 10_000 } });
  return async (url, { method, headers, body, redirect, signal }) => {
    const dispatcher = isListedHost(new URL(url), policy.allowedHosts) ? open : guarded;
    // undici's own types and the platform's describe the same thing in two words.
    const init = { method, headers, body, redirect, signal, dispatcher };
    const response = await undiciFetch(url, init as Parameters<typeof undiciFetch>[1]);
    return response as unknown as Response;
  };
}
