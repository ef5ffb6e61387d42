/** Who asks for tasks: the caller itself, or the one whom an edge has authenticated. */

import type { Authoriser } from '@headwater/shared/gateway/authorise';
import { decodeSubject } from '@headwater/shared/gateway/forwarded-subject';
import { GatewayError } from '@headwater/shared/protocol/errors';

/** Where a caller may show who it is. */
export interface TaskCredentials {
  readonly authorization: string | null;
  readonly apiKey: string | null;
  /** `X-Headwater-Subject`. Without the `INTERNAL_API_KEY` it says nothing. */
  readonly subject: string | null;
}

/**
 * The subject that owns what is asked for. Errors: `unauthorized`; `validation_failed` where the
 * holder of the `INTERNAL_API_KEY` names a subject that cannot be read.
 */
export async function ownerOf(
  authorise: Authoriser,
  { authorization, apiKey, subject }: TaskCredentials,
): Promise<string> {
  const caller = await authorise({ authorization, apiKey });
  // With a key that is shown, the authoriser lets through who holds the INTERNAL_API_KEY alone.
  if (apiKey === null || subject === null) return caller.subject;
  const decoded = decodeSubject(subject);
  if (decoded !== undefined) return decoded;
  throw new GatewayError(
    'validation_failed',
    'The header X-Headwater-Subject must be 1–255 characters of percent-encoded UTF-8.',
  );
}
