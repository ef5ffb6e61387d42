/** The error of an answer, as tests read it. */

import type { FieldFault, WireError } from '@headwater/shared/protocol/errors';

/** A refusal that names fields; one that is none has no `error`, and the test that reads it fails. */
export interface ReplyError extends WireError {
  readonly details: { readonly fields: readonly [FieldFault, ...FieldFault[]] };
}
