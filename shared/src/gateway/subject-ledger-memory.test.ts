import { expect, it } from 'vitest';
import { describeSubjectLedgerContract } from '../testing/subject-ledger-contract.ts';
import type { Claim } from './subject-ledger-local.ts';
import { createMemoryClaims, createMemoryLedger } from './subject-ledger-memory.ts';

const NOW_MS = Date.UTC(2030, 0, 1);

describeSubjectLedgerContract(
  'memory',
  (limits, test) => test({ ledger: createMemoryLedger(limits) }),
  { claims: false, leases: false },
);

/** Admits one stream a minute of each subject, at a time after the first. */
function createHost() {
  const ledger = createMemoryLedger({ perMinute: 1, maxLive: 10 });
  let streams = 0;
  return (subject: string, atMs: number) => {
    streams += 1;
    const nowMs = NOW_MS + atMs;
    const times = { nowMs, liveUntilMs: nowMs + 1 };
    return ledger.admit({ subject, streamId: `s${streams}`, streamUrl: '', ...times }).type;
  };
}

it('RATE-1: forgetting callers that stayed away forgives none that is still within its minute', () => {
  const admit = createHost();
  expect(admit('away', 0)).toBe('admitted');
  expect(admit('late', 59_999)).toBe('admitted');
  expect(admit('late', 119_998)).toBe('limited');
  expect(admit('away', 119_998)).toBe('admitted');
});

it('RATE-4: a clock that steps back makes no caller look as if it had stayed away', () => {
  const admit = createHost();
  expect(admit('first', 0)).toBe('admitted');
  expect(admit('late', 30_000)).toBe('admitted');
  expect(admit('late', 0)).toBe('limited');
  expect(admit('first', 60_000)).toBe('admitted');
  expect(admit('late', 60_000)).toBe('limited');
});

it('IDEM-5: the memory holds a bounded number of keys, and the oldest goes first', () => {
  const claims = createMemoryClaims(2);
  const aClaim = (streamId: string, expiresAtMs = NOW_MS): Claim => ({
    fingerprint: 'f',
    streamId,
    streamUrl: '',
    confirmed: false,
    claimedAtMs: NOW_MS - 1,
    expiresAtMs,
  });
  const kept = () => ['a', 'b', 'c'].filter((key) => claims.get('alice', key) !== undefined);
  claims.put('alice', 'a', aClaim('s1'));
  claims.put('alice', 'b', aClaim('s2', NOW_MS + 1));
  claims.put('alice', 'a', { ...aClaim('s1'), confirmed: true });
  claims.put('alice', 'c', aClaim('s3'));
  expect(kept()).toEqual(['b', 'c']);
  claims.put('alice', 'b', aClaim('s4', NOW_MS + 1));
  claims.put('alice', 'a', aClaim('s5'));
  expect(kept()).toEqual(['a', 'b']);
  claims.sweep(NOW_MS);
  expect(kept()).toEqual(['b']);
});
