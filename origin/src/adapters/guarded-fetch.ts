/** `fetch` that looks where a name leads before it connects. */

import { type LookupAddress, type LookupOptions, lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { type DialPolicy, mayDialAddress } from '@headwater/shared/security/dial-guard';
import { isListedHost } from '@headwater/shared/security/host-list';
import { createLeanAgent, createLeanFetch, type LeanFetch } from './lean-fetch.ts';

/** Code of the error where a name leads to an address that must not be dialled. */
export const PRIVATE_ADDRESS = 'EPRIVATE';

/** All addresses of a name, as `dns.lookup` gives them. */
export type Resolve = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Makes the fetch. Every address a name resolves to must be allowed, and the connection goes to
 * one of the very addresses that were looked at, so a name that changes its mind gains nothing.
 */
export function createGuardedFetch(policy: DialPolicy): LeanFetch {
  const guarded = createLeanAgent({ lookup: createGuardedLookup(policy) });
  const open = createLeanAgent();
  return createLeanFetch((url) => (isListedHost(url, policy.allowedHosts) ? open : guarded));
}

/**
 * Looks a name up and refuses it where one of its addresses is not allowed, with an error of the
 * code {@link PRIVATE_ADDRESS}. It does not know the port: names that are listed are not for it.
 */
export function createGuardedLookup(
  policy: DialPolicy,
  resolveName: Resolve = resolve,
): LookupFunction {
  return (hostname, options, done) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, []);
      const url = new URL(`http://${hostname}/`);
      const refused = addresses.find(({ address }) => !mayDialAddress(address, url, policy));
      if (refused !== undefined) return done(privateAddress(), []);
      const [first] = addresses;
      if (options.all === true) return done(null, addresses);
      return done(null, first?.address ?? '', first?.family);
    });
  };
}

function privateAddress(): NodeJS.ErrnoException {
  return Object.assign(new Error('the name leads to a private address'), { code: PRIVATE_ADDRESS });
}
