/** Who is calling: one rule for every route that is not open. */

import { GatewayError } from '../protocol/errors.ts';
import type { Settings } from '../protocol/settings.ts';
import { type Caller, createCallerVerifier } from '../security/caller-token.ts';
import type { SignerOf } from '../security/hmac-keys.ts';
import { bearerOf } from '../security/read-token.ts';
import { sameSecret } from '../security/same-secret.ts';
import { rememberCallers } from './remembered-callers.ts';

/** Where a caller may show who it is. */
export interface Credentials {
  /** `n8nToken` of the body. */
  readonly token?: string | undefined;
  readonly authorization: string | null;
  readonly apiKey: string | null;
}

/** Finds the caller. Errors: `unauthorized`. */
export type Authoriser = (credentials: Credentials) => Promise<Caller>;

/** Subject of calls that show `INTERNAL_API_KEY`. */
const INTERNAL: Caller = { subject: 'internal' };

/** Subject of calls without credentials in DEV_MODE. */
const DEV: Caller = { subject: 'dev' };

/** Makes the rule from the settings; `signerOf` is the host's, default WebCrypto's. A credential that is shown must be good, also in DEV_MODE. */
export function createAuthoriser(settings: Settings, signerOf?: SignerOf): Authoriser {
  const verifier = createCallerVerifier({
    secrets: settings.jwtSecrets,
    ...(signerOf === undefined ? {} : { signerOf }),
    ...(settings.jwks === undefined ? {} : { jwks: settings.jwks }),
    ...(settings.jwtIssuer === undefined ? {} : { issuer: settings.jwtIssuer }),
    ...(settings.jwtAudience === undefined ? {} : { audience: settings.jwtAudience }),
  });
  const bearerCaller = rememberCallers(verifier.verify);
  return async ({ token, authorization, apiKey }) => {
    if (apiKey !== null) {
      const { internalApiKey } = settings;
      if (internalApiKey !== undefined && (await sameSecret(apiKey, internalApiKey))) {
        return INTERNAL;
      }
      throw new GatewayError('unauthorized', 'The X-API-Key is not the INTERNAL_API_KEY.');
    }
    // One of a body is made for one stream; one of a header comes with every call.
    if (token !== undefined) return verifier.verify(token);
    const bearer = bearerOf(authorization);
    if (bearer !== undefined) return bearerCaller(bearer);
    if (settings.devMode) return DEV;
    throw new GatewayError(
      'unauthorized',
      'Show who you are: `n8nToken` in the body, or `Authorization: Bearer <token>`.',
    );
  };
}
