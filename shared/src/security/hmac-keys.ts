/** HMAC-SHA256 keys for the shared secrets of `JWT_SECRET`. */

import type { CryptoKey } from 'jose';

const encoder = new TextEncoder();

/** Imports one secret, as UTF-8 bytes, as an HMAC-SHA256 key that cannot be exported again. */
export function importHmacKey(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    'raw',
    encoder.encode(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign', 'verify'],
  );
}

/**
 * A supplier of the keys of `secrets`, in their order, that imports each of them once.
 *
 * Throws a RangeError at once when the list is empty: without a secret nothing could ever be
 * verified, and that is a fault of the set-up, not of a caller.
 */
export function createHmacKeys(secrets: readonly string[]): () => Promise<readonly CryptoKey[]> {
  if (secrets.length === 0) throw new RangeError('At least one secret is needed.');
  let keys: readonly CryptoKey[] | undefined;
  return async () => {
    // The keys are kept, not the promise of them: a Worker may not await a promise that belongs to
    // another request. Two first calls at the same time import twice, which does no harm.
    keys ??= await Promise.all(secrets.map(importHmacKey));
    return keys;
  };
}
