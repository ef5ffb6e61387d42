/** HMAC-SHA256 keys for the shared secrets of `JWT_SECRET`, and signatures made with them. */

import type { CryptoKey } from 'jose';
import type { MaybePromise } from '../stream/ports.ts';

const encoder = new TextEncoder();

/** HMAC-SHA256 of a text's UTF-8 bytes; `base64` is padded, `base64url` is not. */
export type SignText = (text: string, encoding: 'base64' | 'base64url') => MaybePromise<string>;

/**
 * Makes the signer of one key, of any length but 0. A host whose library signs in the call itself
 * spares each signature the way to another thread and back.
 */
export type SignerOf = (key: Uint8Array) => SignText;

/** Imports one secret, as UTF-8 bytes, as an HMAC-SHA256 key that cannot be exported again. */
export function importHmacKey(secret: string | Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    'raw',
    // A copy: WebCrypto takes no bytes that another thread may share.
    typeof secret === 'string' ? encoder.encode(secret) : new Uint8Array(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign', 'verify'],
  );
}

/** The platform's own signer; the key is imported once. */
export function createWebSigner(key: Uint8Array): SignText {
  let imported: CryptoKey | undefined;
  return async (text, encoding) => {
    // The key is kept, not the promise of it: a Worker may not await a promise that belongs to
    // another request. Two first calls at the same time import twice, which does no harm.
    imported ??= await importHmacKey(key);
    const signature = await crypto.subtle.sign('HMAC', imported, encoder.encode(text));
    const base64 = btoa(String.fromCharCode(...new Uint8Array(signature)));
    return encoding === 'base64' ? base64 : toBase64Url(base64);
  };
}

function toBase64Url(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
