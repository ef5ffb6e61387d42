/** A ledger in memory: it forgets everything with the process. */

import { createLeaseBook } from './subject-leases.ts';
import type { SubjectLimits } from './subject-ledger.ts';
import {
  type Claim,
  type ClaimStore,
  createLocalLedger,
  type LocalLedger,
} from './subject-ledger-local.ts';

/** Claims of all subjects together; past it the oldest goes. Some 60 MB at a few hundred bytes each. */
const MAX_CLAIMS = 100_000;

/** Makes an empty store of at most `maxClaims`. */
export function createMemoryClaims(maxClaims: number = MAX_CLAIMS): ClaimStore {
  const kept = new Map<string, Claim>();
  // A key holds no line break, so that the first one parts it from any subject.
  const nameOf = (subject: string, key: string) => `${key}\n${subject}`;
  return {
    get: (subject, key) => kept.get(nameOf(subject, key)),
    put(subject, key, claim) {
      const name = nameOf(subject, key);
      const known = kept.get(name);
      // A key that is used anew is the newest.
      if (known !== undefined && known.streamId !== claim.streamId) kept.delete(name);
      kept.set(name, claim);
      if (kept.size <= maxClaims) return;
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    },
    sweep(nowMs) {
      for (const [name, { expiresAtMs }] of kept) if (expiresAtMs <= nowMs) kept.delete(name);
    },
  };
}

/** Makes the ledger; `claims` may be kept elsewhere, so that keys survive a restart. */
export function createMemoryLedger(
  limits: SubjectLimits,
  claims: ClaimStore = createMemoryClaims(),
): LocalLedger {
  return createLocalLedger(limits, { claims, leases: createLeaseBook() });
}
