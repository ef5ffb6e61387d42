/** Signs callbacks as Standard Webhooks does, so that receivers verify them with its libraries. */

import type { MaybePromise } from '../stream/ports.ts';
import { createWebSigner, importHmacKey, type SignerOf } from './hmac-keys.ts';

/** Parts the callback secret from every other use of `JWT_SECRET`; a new value would rotate it. */
const DERIVATION_LABEL = 'headwater callback v1';

/** What a secret of Standard Webhooks begins with; the base64 of the key follows. */
const SECRET_PREFIX = 'whsec_';

/** One callback, as it is signed. */
export interface SignedCallback {
  /** Stays the same through all attempts; holds no dot, which parts the signed fields. */
  readonly id: string;
  /** Time of this attempt, in seconds since 1970; receivers refuse what is 5 minutes off. */
  readonly timestampSeconds: number;
  /** The body, byte for byte as it is sent. */
  readonly body: string;
}

/** The three headers of a signed callback. */
export interface SignatureHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/**
 * The secret that signs callbacks, derived from `jwtSecret`: `whsec_` and the base64 of
 * HMAC-SHA256. A receiver can be given it without being able to sign caller tokens.
 */
export async function deriveWebhookSecret(jwtSecret: string): Promise<string> {
  const key = await importHmacKey(jwtSecret);
  const bytes = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(DERIVATION_LABEL));
  return SECRET_PREFIX + btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

/**
 * Makes what signs callbacks with `secrets` (`whsec_…`). With several of them the signature header
 * holds one signature of each, so that a receiver that still has the older secret goes on verifying
 * through a rotation. `signerOf` defaults to WebCrypto's.
 */
export function createWebhookSigner(
  secrets: readonly string[],
  signerOf: SignerOf = createWebSigner,
): (callback: SignedCallback) => MaybePromise<SignatureHeaders> {
  const signers = secrets.map((secret) => signerOf(keyOf(secret)));
  return ({ id, timestampSeconds, body }) => {
    const timestamp = String(timestampSeconds);
    const text = `${id}.${timestamp}.${body}`;
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    const toHeaders = (signatures: readonly string[]): SignatureHeaders => ({
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures.map((signature) => `v1,${signature}`).join(' '),
    });
    const signed = signers.map((sign) => sign(text, 'base64'));
    return isAllText(signed) ? toHeaders(signed) : Promise.all(signed).then(toHeaders);
  };
}

function isAllText(values: readonly MaybePromise<string>[]): values is readonly string[] {
  return values.every((value) => typeof value === 'string');
}

function keyOf(secret: string): Uint8Array {
  const base64 = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret;
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
