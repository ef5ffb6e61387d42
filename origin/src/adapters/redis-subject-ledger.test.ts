import type { AdmitRequest } from '@headwater/shared/gateway/subject-ledger';
import { describeSubjectLedgerContract } from '@headwater/shared/testing/subject-ledger-contract';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { createRedisSubjectLedger } from './redis-subject-ledger.ts';

describeWithRedis('subject ledger in Redis', () => {
  let server: RedisServer | undefined;
  let redis: Redis;

  const connect = () => new Redis(server?.url ?? '', { maxRetriesPerRequest: 1 });

  beforeAll(async () => {
    server = await startRedis();
    redis = connect();
  });
  afterAll(async () => {
    redis.disconnect();
    await server?.stop();
  });

  const aRequest = (streamId: string, changes: Partial<AdmitRequest> = {}): AdmitRequest => ({
    subject: 'alice',
    streamId,
    streamUrl: `https://x.example/${streamId}`,
    liveUntilMs: Date.now() + 60_000,
    nowMs: Date.now(),
    ...changes,
  });
  const key = { idempotency: { key: 'k', fingerprint: 'f' } };

  describeSubjectLedgerContract(
    'Redis',
    async (limits, test) => {
      await redis.flushall();
      const open = () => createRedisSubjectLedger(redis, { ...limits, byCallersClock: true });
      await test({ ledger: open(), reopen: open });
    },
    { claims: true, leases: true },
  );

  it('LIMIT-1, LIMIT-2: two instances whose clocks differ by an hour are exact together', async () => {
    await redis.flushall();
    const other = connect();
    for (const [subject, limits] of [
      ['by-rate', { perMinute: 50, maxLive: 1000 }],
      ['by-live', { perMinute: 1000, maxLive: 50 }],
    ] as const) {
      const ledgers = [redis, other].map((client) => createRedisSubjectLedger(client, limits));
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, at) => {
          const nowMs = Date.now() + (at % 2) * 3_600_000;
          const request = aRequest(`s${at}`, { subject, nowMs, liveUntilMs: nowMs + 60_000 });
          return ledgers[at % 2]?.admit(request);
        }),
      );
      expect(answers.filter((answer) => answer?.type === 'admitted')).toHaveLength(50);
    }
    other.disconnect();
  });

  it('RATE-4: a lowered limit holds at once', async () => {
    await redis.flushall();
    const nowMs = Date.UTC(2030, 0, 1);
    const byCallersClock = true;
    const before = createRedisSubjectLedger(redis, { perMinute: 3, maxLive: 9, byCallersClock });
    for (const at of [0, 10_000, 20_000]) {
      await before.admit(aRequest(`s${at}`, { nowMs: nowMs + at }));
    }
    const after = createRedisSubjectLedger(redis, { perMinute: 1, maxLive: 9, byCallersClock });
    const admit = (atMs: number) => after.admit(aRequest('later', { nowMs: nowMs + atMs }));
    expect(await admit(30_000)).toEqual({ type: 'limited', by: 'rate', retryAfterSeconds: 50 });
    expect(await admit(80_000)).toEqual({ type: 'admitted' });
  });

  it('IDEM-2: no name of a subject reaches into the keys of another', async () => {
    await redis.flushall();
    const ledger = createRedisSubjectLedger(redis, { perMinute: 1, maxLive: 9 });
    const odd = { idempotency: { key: 'x}:rate', fingerprint: 'f' } };
    expect(await ledger.admit(aRequest('s1', { subject: 'a', ...odd }))).toEqual({
      type: 'admitted',
    });
    const stranger = { subject: 'a}:key:x' };
    expect(await ledger.admit(aRequest('s2', stranger))).toEqual({ type: 'admitted' });
  });

  it('LIMIT-3: everything a subject leaves in Redis ends by itself', async () => {
    await redis.flushall();
    const ledger = createRedisSubjectLedger(redis, { perMinute: 10, maxLive: 10 });
    const nowMs = Date.now();
    await ledger.admit(aRequest('s1', { ...key, nowMs, liveUntilMs: nowMs + 5000 }));
    const expiries = async () =>
      Object.fromEntries(
        await Promise.all(
          (await redis.keys('*')).map(async (name) => [
            name.replace(/^.*}:/, ''),
            Math.round((await redis.pttl(name)) / 1000),
          ]),
        ),
      );
    expect(await expiries()).toEqual({ rate: 60, live: 5, 'key:k': 5 });
    await ledger.admit(aRequest('s2', { nowMs, liveUntilMs: nowMs + 9000 }));
    await ledger.admit(aRequest('s3', { nowMs, liveUntilMs: nowMs + 2000 }));
    await ledger.confirm('alice', 'k');
    expect(await expiries()).toEqual({ rate: 60, live: 9, 'key:k': 86_400 });
    for (const streamId of ['s1', 's2', 's3']) await ledger.release('alice', streamId);
    expect(Object.keys(await expiries()).sort()).toEqual(['key:k', 'rate']);
  });

  it('LIMIT-5: without Redis nobody is admitted: `unavailable`', async () => {
    const lone = await startRedis();
    const client = new Redis(lone.url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
    client.on('error', () => undefined);
    const ledger = createRedisSubjectLedger(client, { perMinute: 10, maxLive: 10 });
    expect(await ledger.admit(aRequest('s1'))).toEqual({ type: 'admitted' });
    await lone.stop();
    await expect(ledger.admit(aRequest('s2'))).rejects.toMatchObject({ code: 'unavailable' });
    client.disconnect();
  });
});
