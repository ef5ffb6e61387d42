import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../config.ts';
import { createGateway, type OriginGateway } from '../gateway.ts';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import type { AnswerEnd } from './answer-service.ts';
import { collectAnswer } from './collect-answer.ts';

const text = ' one two three';
const never = () => new AbortController().signal;

describeWithRedis('answers of a cluster', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes']);
  });
  afterAll(async () => server.stop());

  async function openTwo() {
    const vendor = await startScriptedVendor();
    const folder = await mkdtemp(join(tmpdir(), 'headwater-answers-'));
    const env = {
      JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes',
      DATA_DIR: folder,
      MAX_WORKERS: '1',
      REDIS_URL: server.url,
      OPENAI_API_KEY: 'key',
      OPENAI_BASE_URL: vendor.openaiBaseUrl,
    };
    const open = () => createGateway(readConfig(env), env, createSilentLogger());
    const left = new Set<OriginGateway>();
    const gateways = [await open(), await open()] as const;
    const leave = async (gateway: OriginGateway) => {
      if (left.has(gateway)) return;
      left.add(gateway);
      await Promise.all([gateway.sessions.close(0), gateway.tasks.stop(0)]);
      await gateway.close();
    };
    onTestFinished(async () => {
      await Promise.all(gateways.map(leave));
      await vendor.close();
      await rm(folder, { recursive: true, force: true });
    });
    return { vendor, gateways, leave };
  }

  it('ANSWER-6: the end is told on the instance that ended it, once, and any other can look', async () => {
    const { gateways, vendor, leave } = await openTwo();
    const [one, other] = gateways;
    const told: [who: string, end: AnswerEnd][] = [];
    one.answers.onEnd('turn', async (end) => void told.push(['one', end]));
    other.answers.onEnd('turn', async (end) => void told.push(['other', end]));
    const wish = (directive: object, id: string) => ({
      subject: 'alice',
      messages: [
        { role: 'user' as const, content: `[[script ${JSON.stringify(directive)}]] ${id}` },
      ],
      model: 'gpt-4',
      purpose: { kind: 'turn', id },
    });
    const answer = await one.answers.ask(wish({ text }, '1'), never());
    expect(answer).toMatchObject({ text, isCached: false });
    await expect.poll(() => told).toHaveLength(1);
    expect(told[0]).toMatchObject(['one', { purpose: { id: '1' }, text, status: 'completed' }]);

    const stalls = wish({ text, fault: 'stall', afterTokens: 1, failTimes: 1 }, '2');
    const { streamId } = await one.answers.open(stalls, 'http://127.0.0.1:1');
    await expect.poll(() => vendor.requests.length).toBe(2);
    expect(await other.answers.endOf(streamId)).toBe('live');
    await leave(one);
    await expect.poll(() => told, { timeout: 15_000 }).toHaveLength(2);
    expect(told[1]).toMatchObject(['other', { purpose: { id: '2' }, streamId, text }]);
    expect(await other.answers.endOf(streamId)).toMatchObject({ status: 'completed', text });
  }, 30_000);

  it('ANSWER-9: without a database nothing is kept, and everything is answered', async () => {
    const { gateways, vendor } = await openTwo();
    const [one] = gateways;
    const prompt = `[[script ${JSON.stringify({ text })}]] Again.`;
    const wish = {
      subject: 'alice',
      messages: [{ role: 'user' as const, content: prompt }],
      model: 'gpt-4',
      cacheSeconds: 60,
    };
    for (const _time of [1, 2]) {
      expect(await one.answers.ask(wish, never())).toMatchObject({ text, isCached: false });
    }
    const opened = await one.answers.open(wish, 'http://127.0.0.1:1');
    expect((await collectAnswer(opened.session, never())).text).toBe(text);
    expect(vendor.countOf(prompt)).toBe(3);
  }, 30_000);
});
