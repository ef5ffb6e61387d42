import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { createLeaseBook } from '@headwater/shared/gateway/subject-leases';
import type { AdmitRequest } from '@headwater/shared/gateway/subject-ledger';
import { createLocalLedger } from '@headwater/shared/gateway/subject-ledger-local';
import { openSqlSubjectTables } from '@headwater/shared/gateway/subject-ledger-sql';
import { describeSubjectLedgerContract } from '@headwater/shared/testing/subject-ledger-contract';
import { expect, it } from 'vitest';
import { createObjectSubjectLedger } from '../adapters/object-subject-ledger.ts';

const HOUR_MS = 3_600_000;
const ledger = createObjectSubjectLedger(env.SUBJECTS);
const key = { idempotency: { key: 'k', fingerprint: 'f' } };

let subjects = 0;

/** A subject that no other test knows. */
function aSubject() {
  subjects += 1;
  const subject = `subject ${subjects}`;
  const stub = env.SUBJECTS.getByName(subject);
  const admit = (streamId: string, changes: Partial<AdmitRequest> = {}) => {
    const nowMs = Date.now();
    const streamUrl = `https://x.example/${streamId}`;
    return ledger.admit({
      subject,
      streamId,
      streamUrl,
      nowMs,
      liveUntilMs: nowMs + HOUR_MS,
      ...changes,
    });
  };
  return { subject, stub, admit };
}

type Stub = ReturnType<typeof aSubject>['stub'];

const tablesOf = (stub: Stub) =>
  runInDurableObject(stub, (_object, { storage }) =>
    storage.sql
      .exec(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray()
      .map(({ name }) => name),
  );

const alarmOf = (stub: Stub) =>
  runInDurableObject(stub, (_object, { storage }) => storage.getAlarm());

/** Lets everything that is kept expire. */
const expireAll = (stub: Stub) =>
  runInDurableObject(stub, (_object, { storage }) => {
    storage.sql.exec('UPDATE claims SET expires_ms = 1');
    storage.sql.exec('UPDATE leases SET until_ms = 1');
  });

describeSubjectLedgerContract(
  'SQLite of a Durable Object',
  (limits, test) =>
    runInDurableObject(aSubject().stub, async (_object, { storage }) => {
      const open = () => {
        const tables = openSqlSubjectTables((query, ...values) =>
          storage.sql.exec(query, ...values).toArray(),
        );
        const leases = createLeaseBook(tables.leases);
        return createLocalLedger(limits, { claims: tables.claims, leases });
      };
      await test({ ledger: open(), reopen: open });
      storage.sql.exec('DROP TABLE IF EXISTS claims');
      storage.sql.exec('DROP TABLE IF EXISTS leases');
    }),
  { claims: true, leases: true },
);

it('LIMIT-1: of 200 calls at once the object admits exactly the rate', async () => {
  const { admit } = aSubject();
  const answers = await Promise.all(Array.from({ length: 200 }, (_, at) => admit(`s${at}`)));
  expect(answers.filter(({ type }) => type === 'admitted')).toHaveLength(60);
  expect(answers.at(-1)).toMatchObject({ type: 'limited', by: 'rate', retryAfterSeconds: 60 });
});

it('LIMIT-1: the object’s clock counts, however wrong its callers’ are', async () => {
  const { admit } = aSubject();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, at) => {
      const nowMs = Date.now() + at * HOUR_MS;
      return admit(`s${at}`, { nowMs, liveUntilMs: nowMs + HOUR_MS });
    }),
  );
  expect(answers.filter(({ type }) => type === 'admitted')).toHaveLength(60);
});

it('IDEM-6, LIMIT-3: an evicted object knows its keys and its live streams', async () => {
  const { admit, stub, subject } = aSubject();
  await admit('s1', key);
  await ledger.confirm(subject, 'k');
  const leases = () =>
    runInDurableObject(stub, (_object, { storage }) =>
      storage.sql.exec('SELECT stream_id FROM leases').toArray(),
    );
  await expect.poll(leases, { timeout: 5_000 }).toEqual([{ stream_id: 's1' }]);
  await evictDurableObject(stub);
  expect(await admit('s2', key)).toEqual({
    type: 'again',
    streamId: 's1',
    streamUrl: 'https://x.example/s1',
    confirmed: true,
  });
  expect(await leases()).toEqual([{ stream_id: 's1' }]);
  await ledger.release(subject, 's1');
  await expect.poll(leases, { timeout: 5_000 }).toEqual([]);
});

it('IDEM-5: what has expired is forgotten by an alarm, and at last the object has no storage', async () => {
  const { admit, stub } = aSubject();
  await admit('s1', key);
  const setFor = await alarmOf(stub);
  expect(setFor).toBeGreaterThan(Date.now());
  await runDurableObjectAlarm(stub);
  expect(await alarmOf(stub)).toBeGreaterThan(Date.now());
  expect(await admit('s2', key)).toMatchObject({ type: 'again', streamId: 's1' });
  await expireAll(stub);
  await evictDurableObject(stub);
  await runDurableObjectAlarm(stub);
  expect(await tablesOf(stub)).toEqual([]);
  expect(await alarmOf(stub)).toBeNull();
  expect(await admit('s3', key)).toEqual({ type: 'admitted' });
  expect(await tablesOf(stub)).toEqual(['claims', 'leases']);
  expect(await alarmOf(stub)).toBeGreaterThan(Date.now());
});

it('LIMIT-3: a subject that never opened a stream leaves no storage behind', async () => {
  const { stub, subject } = aSubject();
  await ledger.release(subject, 's1');
  await ledger.confirm(subject, 'k');
  expect(await tablesOf(stub)).toEqual([]);
  expect(await alarmOf(stub)).toBeNull();
});
