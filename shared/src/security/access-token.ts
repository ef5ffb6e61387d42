/** The token that opens one stream, and nothing else. */

import { base64url, errors } from 'jose';
import { GatewayError } from '../protocol/errors.ts';
import type { MaybePromise } from '../stream/ports.ts';
import { createWebSigner, type SignerOf } from './hmac-keys.ts';
import { createHs256Verifier } from './hs256.ts';
import {
  ACCESS_TOKEN_AUDIENCE,
  ACCESS_TOKEN_TYPE,
  readTokenHeader,
  refuseToken,
} from './jwt-header.ts';
import { isSameText } from './same-secret.ts';

/** Issues and verifies access tokens. */
export interface AccessTokens {
  /** A token for `streamId` that ends at `expiresAtMs` (since 1970), rounded up to a second. */
  issue(streamId: string, expiresAtMs: number): MaybePromise<string>;
  /**
   * Resolves when `token` opens `streamId`. Throws `forbidden` for the token of another stream and
   * `unauthorized` for one that has expired, is forged or is no access token.
   */
  verify(token: string, streamId: string): Promise<void>;
}

const encoder = new TextEncoder();

/** The header of every access token, as it stands in front of its claims. */
const HEADER = base64url.encode(JSON.stringify({ alg: 'HS256', typ: ACCESS_TOKEN_TYPE }));

/**
 * Builds access tokens (HS256). The first of `secrets` signs, all of them verify. `now` is in
 * milliseconds since 1970 and defaults to `Date.now`; `signerOf` defaults to WebCrypto's. No clock
 * skew is granted: the gateway reads what the gateway wrote.
 *
 * Throws a RangeError where there is no secret.
 */
export function createAccessTokens(options: {
  secrets: readonly string[];
  now?: () => number;
  signerOf?: SignerOf;
}): AccessTokens {
  const now = options.now ?? Date.now;
  const verifySigned = createHs256Verifier(options.secrets, options.signerOf);
  const sign = (options.signerOf ?? createWebSigner)(encoder.encode(options.secrets[0]));
  /** By stream, oldest first: the first reader mostly comes to who opened the stream, and soon. */
  const issued = new Map<string, { readonly token: string; readonly expiresAtMs: number }>();

  function remember(streamId: string, token: string, expiresAtMs: number): void {
    issued.set(streamId, { token, expiresAtMs });
    if (issued.size <= MAX_REMEMBERED) return;
    for (const oldest of issued.keys()) {
      issued.delete(oldest);
      return;
    }
  }

  async function subjectOf(token: string): Promise<string | undefined> {
    const header = readTokenHeader(token);
    if (header.type !== ACCESS_TOKEN_TYPE) {
      throw refuseToken(
        'This is not the access token of a stream. Use the access_token of the streamUrl as it was given.',
      );
    }
    try {
      const { sub } = await verifySigned(token, header, {
        audience: ACCESS_TOKEN_AUDIENCE,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(now()),
      });
      return sub;
    } catch (thrown) {
      if (thrown instanceof errors.JWTExpired) {
        throw refuseToken('The access token has expired. Open a new stream.', thrown);
      }
      throw refuseToken(FORGED_MESSAGE, thrown);
    }
  }

  return {
    issue(streamId, expiresAtMs) {
      const exp = Math.ceil(expiresAtMs / 1000);
      const claims = {
        sub: streamId,
        aud: ACCESS_TOKEN_AUDIENCE,
        iat: Math.floor(now() / 1000),
        exp,
      };
      const signed = `${HEADER}.${base64url.encode(JSON.stringify(claims))}`;
      const finish = (signature: string): string => {
        const token = `${signed}.${signature}`;
        remember(streamId, token, exp * 1000);
        return token;
      };
      const signature = sign(signed, 'base64url');
      return signature instanceof Promise ? signature.then(finish) : finish(signature);
    },

    async verify(token, streamId) {
      const known = issued.get(streamId);
      if (known !== undefined && now() < known.expiresAtMs && isSameText(token, known.token))
        return;
      if ((await subjectOf(token)) === streamId) return;
      throw new GatewayError(
        'forbidden',
        'This access token opens another stream. Use the streamUrl of this one as it was given.',
      );
    },
  };
}

/** Tokens that are known again without a signature's check: about a megabyte. */
const MAX_REMEMBERED = 4096;

const FORGED_MESSAGE =
  'The access token is not one that this gateway issued. Use the streamUrl as it was given.';
