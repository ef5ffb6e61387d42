/** The words with which caller tokens are refused. */

import { errors } from 'jose';
import { GatewayError, toGatewayError } from '../protocol/errors.ts';
import { refuseToken } from './jwt-header.ts';

/**
 * A failure to find a key in the key set: what the token is to blame for stays as it is, everything
 * else becomes `unavailable`, since the caller can do nothing about it.
 */
export function toKeySetFailure(thrown: unknown): unknown {
  if (
    thrown instanceof errors.JWKSNoMatchingKey ||
    thrown instanceof errors.JWKSMultipleMatchingKeys ||
    thrown instanceof errors.JOSENotSupported
  ) {
    return thrown;
  }
  return new GatewayError(
    'unavailable',
    'The key set of JWT_JWKS_URL cannot be read, so callers cannot be verified. Try again, and check that setting if it stays so.',
    { cause: thrown },
  );
}

/** The refusal of a token whose header names an algorithm that is not among `allowed`. */
export function refuseAlgorithm(algorithm: string, allowed: readonly string[]): GatewayError {
  if (algorithm.toLowerCase() === 'none') {
    return refuseToken('The token is not signed ("alg": "none"). Sign it.');
  }
  return refuseToken(
    `The token is signed with an algorithm that is not taken here. Sign it with ${allowed.join(', ')}.`,
  );
}

/** The refusal for what verifying a token threw; never shows what was thrown. */
export function toRefusal(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof errors.JWTExpired) {
    return refuseToken('The token has expired. Sign a fresh one for each call.', thrown);
  }
  if (thrown instanceof errors.JWSSignatureVerificationFailed) {
    return refuseToken(
      "The token's signature does not match. Sign it with the secret or key that this gateway is set up with.",
      thrown,
    );
  }
  if (thrown instanceof errors.JWKSNoMatchingKey) {
    return refuseToken(
      'No key of JWT_JWKS_URL fits the token. Check its "kid" and "alg", and that the signer publishes that key.',
      thrown,
    );
  }
  if (thrown instanceof errors.JWKSMultipleMatchingKeys) {
    return refuseToken(
      'Several keys of JWT_JWKS_URL fit the token. Name one in its "kid".',
      thrown,
    );
  }
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    return refuseToken(
      CLAIM_MESSAGES[thrown.claim] ?? 'A claim of the token is not valid.',
      thrown,
    );
  }
  // Not the token's fault, such as a key set with a key that is too weak to be used.
  if (!(thrown instanceof errors.JOSEError)) return toGatewayError(thrown);
  return refuseToken('The token is malformed. Check that the whole token was sent.', thrown);
}

const CLAIM_MESSAGES: Readonly<Record<string, string>> = {
  exp: 'The token\'s "exp" is not a number. Give the time of expiry in seconds since 1970.',
  nbf: 'The token is not valid yet ("nbf"). Check the clock of the signer.',
  iat: 'The token\'s "iat" is not a number. Give the time of signing in seconds since 1970.',
  iss: 'The token\'s "iss" is not the issuer that JWT_ISSUER asks for.',
  aud: 'The token\'s "aud" does not hold the audience that JWT_AUDIENCE asks for.',
};
