/** What can be learnt from a token before its signature is checked, and how refusals are made. */

import { decodeProtectedHeader } from 'jose';
import { GatewayError } from '../protocol/errors.ts';

/** `typ` of a stream's access token. A caller token never carries it. */
export const ACCESS_TOKEN_TYPE = 'headwater-stream+jwt';

/** `aud` of a stream's access token. A caller token never carries it. */
export const ACCESS_TOKEN_AUDIENCE = 'headwater:stream';

/**
 * Longest token that is looked at, in characters. Servers commonly take 8 KiB for one header line,
 * so a longer token could not travel as `Authorization` anyway.
 */
const MAX_TOKEN_LENGTH = 8192;

/** The refusal of a token. `message` MUST NOT hold any part of the token. */
export function refuseToken(message: string, cause?: unknown): GatewayError {
  return new GatewayError('unauthorized', message, cause === undefined ? {} : { cause });
}

/** The fields of a token's header that choose how it is treated; none of them is trusted yet. */
export interface TokenHeader {
  readonly algorithm: string;
  readonly type: string;
  /** It has a `crit`: parts of it that a reader must know. */
  readonly isCritical: boolean;
}

/** Reads the header of a compact JWT. Throws `unauthorized` for what is not one. */
export function readTokenHeader(token: string): TokenHeader {
  if (token === '') throw refuseToken('The token is empty. Send a signed JWT.');
  if (token.length > MAX_TOKEN_LENGTH) {
    throw refuseToken(
      `The token is longer than ${MAX_TOKEN_LENGTH} characters. Send a shorter one.`,
    );
  }
  try {
    const { alg, typ, crit } = decodeProtectedHeader(token);
    return {
      algorithm: typeof alg === 'string' ? alg : '',
      type: typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '',
      isCritical: crit !== undefined,
    };
  } catch (cause) {
    throw refuseToken(
      'The token is not a JWT. A JWT is three base64url parts joined by dots; check that the whole token was sent, without quotes.',
      cause,
    );
  }
}
