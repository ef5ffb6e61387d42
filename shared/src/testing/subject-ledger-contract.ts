/** What every {@link SubjectLedger} must do. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Admission,
  type AdmitRequest,
  CLAIM_MS,
  type SubjectLedger,
  type SubjectLimits,
} from '../gateway/subject-ledger.ts';
import { createMemoryLedger } from '../gateway/subject-ledger-memory.ts';

/** An empty ledger that goes by the `nowMs` it is given. */
export interface LedgerUnderTest {
  readonly ledger: SubjectLedger;
  /** There where something outlives what holds it: the same ledger after a restart. */
  readonly reopen?: () => SubjectLedger | Promise<SubjectLedger>;
}

/** Runs a test with an empty ledger, wherever that must happen. */
export type WithLedger = (
  limits: SubjectLimits,
  test: (subject: LedgerUnderTest) => Promise<void>,
) => Promise<void>;

const NOW_MS = Date.UTC(2030, 0, 1);
const LIVE_MS = 3_660_000;
const WIDE: SubjectLimits = { perMinute: 1000, maxLive: 1000 };

/** Names that a careless key would mix up. */
const ODD_SUBJECTS = ['a', 'a:b', 'a}', '{a}', 'a\nb', 'ä', '\u{1F30A}', ' ', 'A', "a' OR '1"];

const urlOf = (streamId: string) => `https://x.example/stream/${streamId}?access_token=é%20"\\'`;

/** A request of `alice`; the URL follows the stream. */
function aRequest(streamId: string, changes: Partial<AdmitRequest> = {}): AdmitRequest {
  const nowMs = changes.nowMs ?? NOW_MS;
  return {
    subject: 'alice',
    streamId,
    streamUrl: urlOf(streamId),
    liveUntilMs: nowMs + LIVE_MS,
    nowMs,
    ...changes,
  };
}

const keyed = (key = 'k', fingerprint = 'f') => ({ idempotency: { key, fingerprint } });

const count = (admissions: readonly Admission[], type: Admission['type']) =>
  admissions.filter((admission) => admission.type === type).length;

const ADMITTED: Admission = { type: 'admitted' };

/** What each of `count` calls at once was told. */
function admitAtOnce(
  ledger: SubjectLedger,
  calls: number,
  changes: Partial<AdmitRequest> = {},
): Promise<Admission[]> {
  return Promise.all(
    Array.from({ length: calls }, async (_, at) => ledger.admit(aRequest(`s${at}`, changes))),
  );
}

/** One thing that happens to a ledger, for random sequences. */
type Step =
  | {
      readonly type: 'admit';
      readonly subject: string;
      readonly key: number;
      readonly body: number;
    }
  | { readonly type: 'confirm'; readonly subject: string; readonly key: number }
  | { readonly type: 'release'; readonly subject: string; readonly stream: number }
  | { readonly type: 'wait'; readonly ms: number };

const subjects = fc.constantFrom('a', 'b');
const keys = fc.integer({ min: 0, max: 3 });
const admitStep = fc.record({
  type: fc.constant('admit' as const),
  subject: subjects,
  key: keys,
  body: fc.integer({ min: 0, max: 1 }),
});

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: admitStep },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('confirm' as const), subject: subjects, key: keys }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('release' as const),
        subject: subjects,
        stream: fc.nat({ max: 30 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant('wait' as const),
        ms: fc.constantFrom(-5000, 0, 1, 20_000, 59_999, 60_000, LIVE_MS, CLAIM_MS),
      }),
    },
  ),
  { minLength: 1, maxLength: 40 },
);

/** Plays the steps; what each call was told. */
async function play(ledger: SubjectLedger, sequence: readonly Step[]): Promise<Admission[]> {
  const answers: Admission[] = [];
  let nowMs = NOW_MS;
  let streams = 0;
  for (const step of sequence) {
    switch (step.type) {
      case 'wait':
        nowMs += step.ms;
        break;
      case 'confirm':
        await ledger.confirm(step.subject, `k${step.key}`);
        break;
      case 'release':
        await ledger.release(step.subject, `s${step.stream}`);
        break;
      case 'admit':
        answers.push(
          await ledger.admit(
            aRequest(`s${streams}`, {
              subject: step.subject,
              nowMs,
              ...(step.key === 0 ? {} : keyed(`k${step.key}`, `f${step.body}`)),
            }),
          ),
        );
        streams += 1;
        break;
    }
  }
  return answers;
}

/** Declares the suite; `keeps` says what a restart leaves. */
export function describeSubjectLedgerContract(
  name: string,
  withLedger: WithLedger,
  keeps: { readonly claims: boolean; readonly leases: boolean },
): void {
  describe(`subject ledger: ${name}`, () => {
    it('RATE-1, RATE-2: exactly the limit is admitted in a minute, and a refusal says how long to wait', () =>
      withLedger({ perMinute: 2, maxLive: 100 }, async ({ ledger }) => {
        expect(await ledger.admit(aRequest('s1'))).toEqual(ADMITTED);
        expect(await ledger.admit(aRequest('s2', { nowMs: NOW_MS + 10_000 }))).toEqual(ADMITTED);
        const refused = await ledger.admit(aRequest('s3', { nowMs: NOW_MS + 10_500 }));
        expect(refused).toEqual({ type: 'limited', by: 'rate', retryAfterSeconds: 50 });
        const late = { nowMs: NOW_MS + 59_999 };
        expect(await ledger.admit(aRequest('s4', late))).toMatchObject({ retryAfterSeconds: 1 });
        expect(await ledger.admit(aRequest('s5', { nowMs: NOW_MS + 60_000 }))).toEqual(ADMITTED);
        expect(await ledger.admit(aRequest('s6', { subject: 'bob', ...late }))).toEqual(ADMITTED);
      }));

    it('RATE-4: a clock that steps back grants nothing', () =>
      withLedger({ perMinute: 1, maxLive: 100 }, async ({ ledger }) => {
        await ledger.admit(aRequest('s1'));
        const refused = await ledger.admit(aRequest('s2', { nowMs: NOW_MS - 100_000 }));
        expect(refused).toEqual({ type: 'limited', by: 'rate', retryAfterSeconds: 160 });
      }));

    it('LIMIT-1: of 200 calls at once with a rate of 50 exactly 50 are admitted', () =>
      withLedger({ perMinute: 50, maxLive: 1000 }, async ({ ledger }) => {
        const answers = await admitAtOnce(ledger, 200);
        expect(count(answers, 'admitted')).toBe(50);
        expect(answers.at(-1)).toMatchObject({ type: 'limited', by: 'rate' });
      }));

    it('LIMIT-2: of 200 calls at once with room for 50 live streams exactly 50 are admitted', () =>
      withLedger({ perMinute: 1000, maxLive: 50 }, async ({ ledger }) => {
        const answers = await admitAtOnce(ledger, 200);
        expect(count(answers, 'admitted')).toBe(50);
        expect(answers.at(-1)).toMatchObject({ type: 'limited', by: 'live' });
      }));

    it('LIMIT-2: a stream that ended makes room, once, and for its own subject alone', () =>
      withLedger({ perMinute: 1000, maxLive: 2 }, async ({ ledger }) => {
        await admitAtOnce(ledger, 2);
        await ledger.release('alice', 'unknown');
        await ledger.release('bob', 's0');
        expect(await ledger.admit(aRequest('s2'))).toMatchObject({ by: 'live' });
        await ledger.release('alice', 's0');
        await ledger.release('alice', 's0');
        expect(await ledger.admit(aRequest('s3'))).toEqual(ADMITTED);
        const refused = await ledger.admit(aRequest('s4'));
        expect(refused).toMatchObject({ type: 'limited', by: 'live' });
        expect((refused as { retryAfterSeconds: number }).retryAfterSeconds).toBeGreaterThan(0);
      }));

    it('LIMIT-3: a release that was lost is healed when the stream must be over', () =>
      withLedger({ perMinute: 1000, maxLive: 1 }, async ({ ledger }) => {
        await ledger.admit(aRequest('s1'));
        const nearly = { nowMs: NOW_MS + LIVE_MS - 1 };
        expect(await ledger.admit(aRequest('s2', nearly))).toMatchObject({ by: 'live' });
        const over = { nowMs: NOW_MS + LIVE_MS };
        expect(await ledger.admit(aRequest('s3', over))).toEqual(ADMITTED);
      }));

    it('LIMIT-4: what is refused counts nothing, neither against the rate nor as live', () =>
      withLedger({ perMinute: 2, maxLive: 1 }, async ({ ledger }) => {
        await ledger.admit(aRequest('first'));
        expect(count(await admitAtOnce(ledger, 5, { nowMs: NOW_MS + 1 }), 'limited')).toBe(5);
        await ledger.release('alice', 'first');
        expect(await ledger.admit(aRequest('s2', { nowMs: NOW_MS + 2 }))).toEqual(ADMITTED);
        await ledger.release('alice', 's2');
        const third = aRequest('s3', { nowMs: NOW_MS + 3, ...keyed() });
        expect(await ledger.admit(third)).toMatchObject({ by: 'rate' });
        expect(await ledger.admit({ ...third, nowMs: NOW_MS + 60_000 })).toEqual(ADMITTED);
      }));

    it('LIMIT-4: a call that is sent twice counts once', () =>
      withLedger({ perMinute: 2, maxLive: 2 }, async ({ ledger }) => {
        for (let time = 0; time < 3; time += 1) {
          expect(await ledger.admit(aRequest('s1', keyed()))).toEqual(ADMITTED);
        }
        expect(await ledger.admit(aRequest('s2'))).toEqual(ADMITTED);
        expect(await ledger.admit(aRequest('s2'))).toEqual(ADMITTED);
      }));

    it('IDEM-1: of 200 equal calls at once one is admitted, and the others get its stream', () =>
      withLedger(WIDE, async ({ ledger }) => {
        const answers = await admitAtOnce(ledger, 200, keyed());
        expect(count(answers, 'admitted')).toBe(1);
        const at = answers.findIndex(({ type }) => type === 'admitted');
        const others = answers.filter(({ type }) => type !== 'admitted');
        const streamId = `s${at}`;
        const again = { type: 'again', streamId, streamUrl: urlOf(streamId), confirmed: false };
        expect(others).toEqual(Array(199).fill(again));
      }));

    it('IDEM-2: the same key with another request is a conflict, and another key is another stream', () =>
      withLedger(WIDE, async ({ ledger }) => {
        await ledger.admit(aRequest('s1', keyed('k', 'f')));
        expect(await ledger.admit(aRequest('s2', keyed('k', 'g')))).toEqual({ type: 'conflict' });
        expect(await ledger.admit(aRequest('s3', keyed('K', 'g')))).toEqual(ADMITTED);
        expect(await ledger.admit(aRequest('s4', keyed('k', 'f')))).toMatchObject({
          type: 'again',
          streamId: 's1',
        });
      }));

    it('IDEM-3: the same again costs nothing, and goes before every limit', () =>
      withLedger({ perMinute: 1, maxLive: 1 }, async ({ ledger }) => {
        await ledger.admit(aRequest('first', keyed()));
        expect(count(await admitAtOnce(ledger, 5, keyed()), 'again')).toBe(5);
        expect(await ledger.admit(aRequest('s7', keyed('k', 'g')))).toEqual({ type: 'conflict' });
        expect(await ledger.admit(aRequest('s8'))).toMatchObject({ by: 'live' });
        await ledger.release('alice', 'first');
        expect(await ledger.admit(aRequest('s9'))).toMatchObject({ by: 'rate' });
        expect(await ledger.admit(aRequest('s9', keyed()))).toMatchObject({ streamId: 'first' });
      }));

    it('IDEM-4: a confirmed key says so, and an unknown one stays unknown', () =>
      withLedger(WIDE, async ({ ledger }) => {
        await ledger.confirm('alice', 'k');
        await ledger.admit(aRequest('s1', keyed()));
        await ledger.confirm('bob', 'k');
        await ledger.confirm('alice', 'other');
        const again = () => ledger.admit(aRequest('s2', keyed()));
        expect(await again()).toMatchObject({ type: 'again', confirmed: false });
        await ledger.confirm('alice', 'k');
        await ledger.confirm('alice', 'k');
        expect(await again()).toMatchObject({ type: 'again', confirmed: true, streamId: 's1' });
      }));

    it('IDEM-5: a confirmed key is free again after 24 h, one never confirmed when its stream must be over', () =>
      withLedger(WIDE, async ({ ledger }) => {
        await ledger.admit(aRequest('s1', keyed('sure')));
        await ledger.admit(aRequest('s2', keyed('unsure')));
        await ledger.confirm('alice', 'sure');
        const at = (ms: number, key: string, id: string) =>
          ledger.admit(aRequest(id, { nowMs: NOW_MS + ms, ...keyed(key) }));
        expect(await at(LIVE_MS - 1, 'unsure', 's3')).toMatchObject({ streamId: 's2' });
        expect(await at(LIVE_MS, 'unsure', 's4')).toEqual(ADMITTED);
        expect(await at(LIVE_MS + 1, 'unsure', 's5')).toMatchObject({ streamId: 's4' });
        expect(await at(CLAIM_MS - 1, 'sure', 's6')).toMatchObject({ streamId: 's1' });
        expect(await at(CLAIM_MS, 'sure', 's7')).toEqual(ADMITTED);
      }));

    it('IDEM-2: subjects do not see each other’s keys, however odd their names', () =>
      withLedger({ perMinute: 1, maxLive: 1 }, async ({ ledger }) => {
        for (const [at, subject] of ODD_SUBJECTS.entries()) {
          const request = aRequest(`s${at}`, { subject, ...keyed(`k:}{ '${at % 2}`) });
          expect(await ledger.admit(request)).toEqual(ADMITTED);
        }
        for (const [at, subject] of ODD_SUBJECTS.entries()) {
          const again = aRequest('other', { subject, ...keyed(`k:}{ '${at % 2}`) });
          expect(await ledger.admit(again)).toMatchObject({
            streamId: `s${at}`,
            streamUrl: urlOf(`s${at}`),
          });
        }
      }));

    it('LIMIT-4, IDEM-3: over random calls it decides as the memory does', () =>
      fc.assert(
        fc.asyncProperty(steps, async (sequence) => {
          const limits = { perMinute: 4, maxLive: 3 };
          const expected = await play(createMemoryLedger(limits), sequence);
          await withLedger(limits, async ({ ledger }) => {
            expect(await play(ledger, sequence)).toEqual(expected);
          });
        }),
        { seed: 3, numRuns: 60 },
      ));

    if (keeps.claims)
      it('IDEM-6: a ledger opened again knows its keys', () =>
        withLedger(WIDE, async ({ ledger, reopen }) => {
          if (reopen === undefined) throw new Error('what is kept must be able to be opened again');
          await ledger.admit(aRequest('s1', keyed('sure')));
          await ledger.admit(aRequest('s2', keyed('unsure')));
          await ledger.confirm('alice', 'sure');
          const again = await reopen();
          const ask = (key: string) => again.admit(aRequest('s3', keyed(key)));
          expect(await ask('sure')).toMatchObject({ streamId: 's1', confirmed: true });
          expect(await ask('unsure')).toMatchObject({ streamId: 's2', confirmed: false });
        }));

    if (keeps.leases)
      it('LIMIT-3: a ledger opened again knows its live streams', () =>
        withLedger({ perMinute: 1000, maxLive: 2 }, async ({ ledger, reopen }) => {
          if (reopen === undefined) throw new Error('what is kept must be able to be opened again');
          await admitAtOnce(ledger, 3);
          await ledger.release('alice', 's0');
          const again = await reopen();
          expect(await again.admit(aRequest('s4'))).toEqual(ADMITTED);
          expect(await again.admit(aRequest('s5'))).toMatchObject({ by: 'live' });
        }));
  });
}
