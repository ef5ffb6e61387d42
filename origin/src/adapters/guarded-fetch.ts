/** `fetch` that looks where a name leads before it connects. */

import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { type CallbackPolicy, mayDialAddress } from '@headwater/shared/security/callback-guard';
import { isListedHost } from '@headwater/shared/security/host-list';
import { createLeanAgent, createLeanFetch, type LeanFetch } from './lean-fetch.ts';

/**
 * Makes the fetch. Every address a name resolves to must be allowed, and the connection goes to
 * one of the very addresses that were looked at, so a name that changes its mind gains nothing.
 */
export function createGuardedFetch(policy: CallbackPolicy): LeanFetch {
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
  const guarded = createLeanAgent({ lookup });
  const open = createLeanAgent();
  return createLeanFetch((url) => (isListedHost(url, policy.allowedHosts) ? open : guarded));
}
