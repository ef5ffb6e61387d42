/** `n8nToken`: the JWT by which a backend proves that it may open sessions. */

import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose';
import { type Caller, readCaller } from './caller-claims.ts';
import { refuseAlgorithm, toKeySetFailure, toRefusal } from './caller-refusals.ts';
import { importHmacKey, type SignerOf } from './hmac-keys.ts';
import { createHs256Verifier, type VerifyToken } from './hs256.ts';
import { ACCESS_TOKEN_TYPE, readTokenHeader, refuseToken } from './jwt-header.ts';

export type { Caller };

/** How far the clocks of a caller and the gateway may disagree, in seconds. */
const CLOCK_SKEW_SECONDS = 30;

const SHARED_SECRET_ALGORITHMS = ['HS256'];

/** Asymmetric algorithms only: a public key of a key set can then never serve as an HMAC secret. */
const KEY_SET_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Reads a key set. The same shape as the part of `fetch` that is needed. */
export type FetchKeySet = (
  url: string,
  options: { headers: Headers; method: 'GET'; redirect: 'manual'; signal: AbortSignal },
) => Promise<Response>;

/** A key set that verifies callers. `issuer` and `audience` are demanded of tokens when given. */
export interface KeySetOptions {
  readonly url: string;
  readonly issuer?: string;
  readonly audience?: string;
  /** Defaults to the global `fetch`. */
  readonly fetch?: FetchKeySet;
}

/** How callers are verified. */
export interface CallerVerifierOptions {
  /** HS256 secrets, at least one; each of them verifies. Not used for callers when `jwks` is set. */
  readonly secrets: readonly string[];
  readonly jwks?: KeySetOptions;
  /** Demanded as `iss` when given; `jwks.issuer` goes before it. */
  readonly issuer?: string;
  /** Demanded in `aud` when given; `jwks.audience` goes before it. */
  readonly audience?: string;
  /** Milliseconds since 1970; defaults to `Date.now`. */
  readonly now?: () => number;
  /** Signs for `secrets`; defaults to WebCrypto's. */
  readonly signerOf?: SignerOf;
}

/** Verifies caller tokens. */
export interface CallerVerifier {
  /**
   * The caller that `token` proves. Throws `unauthorized` with a message that says what to mend and
   * never repeats the token, or `unavailable` when the key set cannot be read.
   */
  verify(token: string): Promise<Caller>;
}

/** Signs a caller token (HS256) that is valid from now for `ttlSeconds`. */
export async function signCallerToken(
  secret: string,
  claims: { subject: string; ttlSeconds: number },
): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return new SignJWT({ sub: claims.subject })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + claims.ttlSeconds)
    .sign(await importHmacKey(secret));
}

/** Builds a verifier. Keys are imported, and a key set is fetched, once and then kept. */
export function createCallerVerifier(options: CallerVerifierOptions): CallerVerifier {
  const now = options.now ?? Date.now;
  const algorithms = options.jwks === undefined ? SHARED_SECRET_ALGORITHMS : KEY_SET_ALGORITHMS;
  const verifySignature =
    options.jwks === undefined
      ? createHs256Verifier(options.secrets, options.signerOf)
      : withKeySet(options.jwks, KEY_SET_ALGORITHMS);
  const issuer = options.jwks?.issuer ?? options.issuer;
  const audience = options.jwks?.audience ?? options.audience;

  return {
    async verify(token) {
      const header = readTokenHeader(token);
      if (header.type === ACCESS_TOKEN_TYPE) {
        throw refuseToken(
          'This is the access token of one stream. It opens that stream only; send a caller token here.',
        );
      }
      if (!algorithms.includes(header.algorithm))
        throw refuseAlgorithm(header.algorithm, algorithms);
      try {
        const payload = await verifySignature(token, header, {
          clockTolerance: CLOCK_SKEW_SECONDS,
          currentDate: new Date(now()),
          ...(issuer === undefined ? {} : { issuer }),
          ...(audience === undefined ? {} : { audience }),
        });
        return readCaller(payload);
      } catch (thrown) {
        throw toRefusal(thrown);
      }
    },
  };
}

function withKeySet(jwks: KeySetOptions, algorithms: string[]): VerifyToken {
  const keySet = createRemoteJWKSet(
    new URL(jwks.url),
    jwks.fetch === undefined ? {} : { [customFetch]: jwks.fetch },
  );
  return async (token, _header, demands) => {
    const keyOf: JWTVerifyGetKey = async (header, input) => {
      try {
        return await keySet(header, input);
      } catch (thrown) {
        throw toKeySetFailure(thrown);
      }
    };
    return (await jwtVerify(token, keyOf, { ...demands, algorithms })).payload;
  };
}
