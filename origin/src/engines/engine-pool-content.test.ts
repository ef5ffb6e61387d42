import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { FIXED_ANSWER, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openTestPool, type TestPool } from '../testing/open-test-pool.ts';
import { aTestTask, testEnvironment } from '../testing/test-engine-task.ts';

let vendor: ScriptedVendor;
let pool: TestPool;
beforeAll(async () => {
  vendor = await startScriptedVendor();
  const keys = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: vendor.openaiBaseUrl };
  pool = openTestPool({ size: 1, env: { ...process.env, ...testEnvironment(), ...keys } });
});
afterAll(async () => {
  await pool.close();
  await vendor.close();
});

const aContentTask = (prompt: string) =>
  aTestTask({ type: 'content-generation', params: { kind: 'article', prompt, model: 'gpt-4o' } });

it('ENGINE-16: content generation runs in a child, with the keys of its parent', async () => {
  let text = '';
  const task = aContentTask('Tell me.');
  const outcome = await pool.run(task, new AbortController().signal, (news) => {
    if (news.type === 'text') text += news.text;
  });
  expect(outcome).toMatchObject({ type: 'succeeded', result: { text: FIXED_ANSWER } });
  expect(text).toBe(FIXED_ANSWER);
});

it('ENGINE-17: a task that is stopped ends its request to the vendor, and keeps its child', async () => {
  const stop = new AbortController();
  const prompt = scriptedPrompt({ tokens: 2000, delayMs: 5 });
  const said = Promise.withResolvers<void>();
  const ended = pool.run(aContentTask(prompt), stop.signal, (news) => {
    if (news.type === 'text') said.resolve();
  });
  await said.promise;
  stop.abort();
  expect(await ended).toEqual({ type: 'stopped' });
  await vi.waitFor(() => expect(vendor.requests.at(-1)?.aborted).toBe(true), { timeout: 500 });
  expect(pool.look()).toEqual({ processes: 1, busy: 0 });
});
