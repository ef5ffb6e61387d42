/** Signs callbacks as Standard Webhooks does, so that receivers verify them with its libraries. */

import { Webhook } from 'standardwebhooks';
import { importHmacKey } from './hmac-keys.ts';

/** Parts the callback secret from every other use of `JWT_SECRET`; a new value would rotate it. */
const DERIVATION_LABEL = 'headwater callback v1';

/** One callback, as it is signed. */
export interface SignedCallback {
  /** Stays the same through all attempts; holds no dot, which parts the signed fields. */
  readonly id: string;
  /** Time of this attempt, in seconds since 1970; receivers refuse what is 5 minutes off. */
  readonly timestampSeconds: number;
  /** The body, byte for byte as it is sent. */
  readonly body: string;
}

/**
 * The secret that signs callbacks, derived from `jwtSecret`: `whsec_` and the base64 of
 * HMAC-SHA256. A receiver can be given it without being able to sign caller tokens.
 */
export async function deriveWebhookSecret(jwtSecret: string): Promise<string> {
  const key = await importHmacKey(jwtSecret);
  const bytes = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(DERIVATION_LABEL));
  return `whsec_${btoa(String.fromCharCode(...new Uint8Array(bytes)))}`;
}

/**
 * The three headers of a callback. With several secrets the signature header holds one signature of
 * each, so that a receiver that still has the older secret goes on verifying through a rotation.
 */
export function signWebhook(
  secret: string | readonly string[],
  callback: SignedCallback,
): {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
} {
  const { id, timestampSeconds, body } = callback;
  const sentAt = new Date(timestampSeconds * 1000);
  const signatures = [secret].flat().map((one) => new Webhook(one).sign(id, sentAt, body));
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
  };
}
