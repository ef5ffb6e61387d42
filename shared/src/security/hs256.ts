/** Checks tokens that are signed with a shared secret. */

import { errors, type JWTClaimVerificationOptions, type JWTPayload, UnsecuredJWT } from 'jose';
import { createWebSigner, type SignerOf } from './hmac-keys.ts';
import type { TokenHeader } from './jwt-header.ts';
import { isSameText } from './same-secret.ts';

/** A token whose signature holds goes on without one: jose then looks at the claims alone. */
const UNSIGNED_HEADER = new UnsecuredJWT().encode().split('.')[0];

/** HMAC-SHA256 in base64url (RFC 7515 §3.1: no padding). */
const SIGNATURE = /^[\w-]{43}$/;

const encoder = new TextEncoder();

/**
 * The claims of a compact JWT whose header has been read; its `typ` is the caller's to look at.
 * Throws one of jose's errors: `JWSInvalid`, `JWSSignatureVerificationFailed`, or what a claim is
 * wrong with.
 */
export type VerifyToken = (
  token: string,
  header: TokenHeader,
  demands: Omit<JWTClaimVerificationOptions, 'typ'>,
) => Promise<JWTPayload>;

/**
 * Makes the check; any of `secrets` may have signed. The signature is the host's own (`signerOf`,
 * default WebCrypto's): jose knows only WebCrypto, which on Node takes each one to a thread of the
 * pool and back, and that costs more than the rest of a request's authorisation.
 *
 * Throws a RangeError at once when the list is empty: without a secret nothing could ever be
 * verified, and that is a fault of the set-up, not of a caller.
 */
export function createHs256Verifier(
  secrets: readonly string[],
  signerOf: SignerOf = createWebSigner,
): VerifyToken {
  if (secrets.length === 0) throw new RangeError('At least one secret is needed.');
  const signers = secrets.map((secret) => signerOf(encoder.encode(secret)));

  async function isSigned(signed: string, signature: string): Promise<boolean> {
    for (const sign of signers) {
      const made = sign(signed, 'base64url');
      if (isSameText(typeof made === 'string' ? made : await made, signature)) return true;
    }
    return false;
  }

  return async (token, { algorithm, isCritical }, demands) => {
    const [header = '', payload = '', signature = '', ...rest] = token.split('.');
    // RFC 7515 §4.1.11: whoever does not know what a header calls critical refuses the token.
    if (algorithm !== 'HS256' || isCritical || rest.length > 0 || !SIGNATURE.test(signature)) {
      throw new errors.JWSInvalid();
    }
    if (!(await isSigned(`${header}.${payload}`, signature))) {
      throw new errors.JWSSignatureVerificationFailed();
    }
    return UnsecuredJWT.decode(`${UNSIGNED_HEADER}.${payload}.`, demands).payload;
  };
}
