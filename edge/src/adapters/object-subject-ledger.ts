/** The ledger of the edge: each subject's own Durable Object decides. */

import type { SubjectLedger } from '@headwater/shared/gateway/subject-ledger';
import type { SubjectObject } from '../objects/subject-object.ts';

/** Makes the ledger. Calls come back with what they threw. */
export function createObjectSubjectLedger(
  subjects: DurableObjectNamespace<SubjectObject>,
): SubjectLedger {
  return {
    admit: (request) => subjects.getByName(request.subject).admit(request),
    confirm: (subject, key) => subjects.getByName(subject).confirm(key),
    release: (subject, streamId) => subjects.getByName(subject).release(streamId),
  };
}
