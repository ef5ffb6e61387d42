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

it('RATE-1: forgetting callers that stayed away forgives none that is still within its minute', () => {
  const ledger = createMemoryLedger({ perMinute: 1, maxLive: 10 });
  let nowMs = NOW_MS;
  let streams = 0;
  const admit = (subject: string) => {
    streams += 1;
    const streamId = `s${streams}`;
    return ledger.admit({ subject, streamId, streamUrl: '', liveUntilMs: nowMs + 1, nowMs }).type;
  };
  expect(admit('away')).toBe('admitted');
  nowMs += 59_999;
  expect(admit('late')).toBe('admitted');
  nowMs += 59_999;
  expect(admit('late')).toBe('limited');
  expect(admit('away')).toBe('admitted');
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
