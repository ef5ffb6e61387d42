/** Who is calling, where the caller is an OpenAI client. */

import type { Authoriser, Credentials } from '../gateway/authorise.ts';
import type { Caller } from '../security/caller-token.ts';
import { bearerOf } from '../security/read-token.ts';
import { sameSecret } from '../security/same-secret.ts';

/**
 * The one rule of every route, and one thing more: OpenAI's SDKs can show a key as a bearer token
 * alone, so `INTERNAL_API_KEY` is good there too. Errors: `unauthorized`.
 */
export async function authoriseClient(
  rule: { readonly authorise: Authoriser; readonly internalApiKey: string | undefined },
  { authorization, apiKey }: Pick<Credentials, 'authorization' | 'apiKey'>,
): Promise<Caller> {
  const bearer = bearerOf(authorization);
  const { authorise, internalApiKey } = rule;
  const isKey =
    apiKey === null &&
    bearer !== undefined &&
    internalApiKey !== undefined &&
    (await sameSecret(bearer, internalApiKey));
  return authorise({ authorization, apiKey: isKey ? bearer : apiKey });
}
