import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../config.ts';
import { createGateway, type OriginGateway } from '../gateway.ts';
import type { AnswerEnd } from './answer-service.ts';

const text = ' one two three';

/** Leaves everything as a crash would, but for the files. */
async function leave(gateway: OriginGateway): Promise<void> {
  await Promise.all([gateway.sessions.close(0), gateway.tasks.stop(0)]);
  await gateway.close();
}

it('ANSWER-6: an answer whose process has died is given by the next one, which tells of its end', async () => {
  const vendor = await startScriptedVendor();
  const folder = await mkdtemp(join(tmpdir(), 'headwater-answers-'));
  onTestFinished(async () => {
    await vendor.close();
    await rm(folder, { recursive: true, force: true });
  });
  const env = {
    JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes',
    DEV_MODE: 'true',
    DATA_DIR: folder,
    MAX_WORKERS: '1',
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: vendor.openaiBaseUrl,
  };
  const open = () => createGateway(readConfig(env), env, createSilentLogger());
  const purpose = { kind: 'turn', id: '1' };
  const script = { text, fault: 'stall', afterTokens: 1, failTimes: 1 };
  const prompt = `[[script ${JSON.stringify(script)}]] Count.`;

  const first = await open();
  const { streamId } = await first.answers.open(
    { subject: 'alice', messages: [{ role: 'user', content: prompt }], model: 'gpt-4', purpose },
    'http://127.0.0.1:1',
  );
  await expect.poll(() => vendor.countOf(prompt)).toBe(1);
  expect(await first.answers.endOf(streamId)).toBe('live');
  await leave(first);

  const second = await open();
  const ends: AnswerEnd[] = [];
  second.answers.onEnd('turn', async (end) => void ends.push(end));
  await expect.poll(() => ends, { timeout: 10_000 }).toHaveLength(1);
  expect(ends[0]).toMatchObject({ purpose, streamId, status: 'completed', text });
  await leave(second);

  // Who was not told can look, whatever process it is.
  const third = await open();
  expect(await third.answers.endOf(streamId)).toMatchObject({ status: 'completed', text });
  await leave(third);
}, 30_000);
