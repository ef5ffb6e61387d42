import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestOrigin, type TestOrigin } from '../testing/open-test-origin.ts';
import type { AnswerEnd, AnswerWish } from './answer-service.ts';
import { collectAnswer } from './collect-answer.ts';

const BASE = 'http://127.0.0.1:1';

let vendor: ScriptedVendor;
let origin: TestOrigin;

beforeAll(async () => {
  vendor = await startScriptedVendor();
  origin = await openTestOrigin({
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: vendor.openaiBaseUrl,
    ANTHROPIC_API_KEY: 'key',
    ANTHROPIC_BASE_URL: vendor.anthropicBaseUrl,
    OLLAMA_HOST: vendor.ollamaHost,
    UPSTREAM_MAX_RETRIES: '0',
    UPSTREAM_BREAKER_FAILURES: '0',
    RATE_LIMIT_PER_MINUTE: '1000',
    MODEL_PRICES: '{"ollama/priced": {"input": 100, "output": 200}}',
  });
}, 60_000);
afterAll(async () => {
  await origin?.close();
  await vendor?.close();
});

let prompts = 0;
/** A prompt that nobody has sent before. */
const say = (directive: object): string => {
  prompts += 1;
  return `[[script ${JSON.stringify(directive)}]] ${prompts}`;
};
const wish = (prompt: string, changes: Partial<AnswerWish> = {}): AnswerWish => ({
  subject: 'alice',
  messages: [{ role: 'user', content: prompt }],
  ...changes,
});
const never = () => new AbortController().signal;
const ask = (prompt: string, changes: Partial<AnswerWish> = {}) =>
  origin.gateway.answers.ask(wish(prompt, changes), never());

const text = ' one two three';

describe('a whole answer', () => {
  it('ANSWER-1: is what the model said, with who said it, its tokens and its price', async () => {
    const answer = await ask(say({ text }), { model: 'gpt-6-sol' });
    expect(answer).toMatchObject({
      text,
      model: 'gpt-6-sol',
      provider: 'openai',
      finishReason: 'stop',
      usage: { source: 'provider' },
      isCached: false,
    });
    const { inputTokens, outputTokens } = answer.usage;
    expect(answer.cost?.source).toBe('table');
    expect(answer.cost?.totalUsd).toBeCloseTo((inputTokens * 2 + outputTokens * 10) / 1e6, 9);
  });

  it('ANSWER-2: asks the default model for at most 2048 tokens where nothing is said of either', async () => {
    const prompt = say({ text });
    expect((await ask(prompt)).model).toBe('gpt-4');
    const sent = vendor.requests.find(({ body }) => JSON.stringify(body).includes(`]] ${prompts}`));
    expect(sent?.body).toMatchObject({ model: 'gpt-4', max_tokens: 2048 });
  });

  it('ANSWER-3: comes from the model that takes over, from its first word', async () => {
    const prompt = say({ text, fault: 'cut', afterTokens: 2, failTimes: 1 });
    const answer = await ask(prompt, { model: 'gpt-4', fallbackModels: ['claude-opus-5-5'] });
    expect(answer).toMatchObject({ text, model: 'claude-opus-5-5', provider: 'anthropic' });
    expect(answer.cost?.source).toBe('table');
  });

  it('ANSWER-2: takes a name that no vendor has for one of Ollama’s', async () => {
    expect(await ask(say({ text }), { model: 'phi4' })).toMatchObject({
      model: 'ollama/phi4',
      provider: 'ollama',
      cost: { totalUsd: 0, source: 'table' },
    });
    const priced = await ask(say({ text }), { model: 'priced' });
    expect(priced.cost).toMatchObject({ source: 'settings' });
    expect(priced.cost?.totalUsd).toBeGreaterThan(0);
  });

  it('ANSWER-1: fails with the code of its vendor, and names the faulty field as its callers know it', async () => {
    await expect(ask(say({ status: 500 }), { model: 'gpt-4' })).rejects.toMatchObject({
      code: 'upstream_failed',
    });
    await expect(ask(say({ text }), { model: 'ollama/' })).rejects.toMatchObject({
      code: 'validation_failed',
    });
    await expect(
      ask(say({ text }), { model: 'gpt-4', fallbackModels: ['gpt-4', 'ollama/'] }),
    ).rejects.toMatchObject({ details: { fields: [{ path: 'fallback_models.1' }] } });
  });

  it('ANSWER-4: stops its model once nobody waits for it', async () => {
    const prompt = say({ text, fault: 'stall', afterTokens: 1 });
    const leaving = new AbortController();
    const asked = origin.gateway.answers.ask(wish(prompt, { model: 'gpt-4' }), leaving.signal);
    asked.catch(() => undefined);
    const mine = () =>
      vendor.requests.find(({ body }) => JSON.stringify(body).includes(`]] ${prompts}`));
    await expect.poll(mine).toBeDefined();
    leaving.abort();
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
    await expect.poll(() => mine()?.aborted).toBe(true);
  });

  it('ANSWER-6: with a purpose goes on though its caller has left, and its end is told', async () => {
    const ends: AnswerEnd[] = [];
    const purpose = { kind: 'left', id: 'turn-1' };
    const leaving = new AbortController();
    const prompt = say({ text, delayMs: 40 });
    const endings = () => origin.logged.filter((line) => line.includes('stream ended')).length;
    const before = endings();
    const asked = origin.gateway.answers.ask(
      wish(prompt, { model: 'gpt-4', purpose }),
      leaving.signal,
    );
    asked.catch(() => undefined);
    await expect.poll(() => vendor.countOf(prompt)).toBe(1);
    leaving.abort();
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
    // A listener that comes late is told what has ended before.
    await expect.poll(endings).toBe(before + 1);
    origin.gateway.answers.onEnd('left', async (end) => void ends.push(end));
    await expect.poll(() => ends).toHaveLength(1);
    expect(ends[0]).toMatchObject({ purpose, status: 'completed', text, model: 'gpt-4' });
    const streamId = ends[0]?.streamId ?? '';
    expect(await origin.gateway.answers.endOf(streamId)).toMatchObject({ text, error: null });
    expect(await origin.gateway.answers.endOf('nobody-knows-it')).toBeUndefined();
  });
});

describe('an answer that is read while it is written', () => {
  const open = (prompt: string, changes: Partial<AnswerWish> = {}) =>
    origin.gateway.answers.open(wish(prompt, changes), BASE);

  it('ANSWER-7: is a stream with an address of its own', async () => {
    const opened = await open(say({ text }), { model: 'gpt-4' });
    expect(opened.isCached).toBe(false);
    expect((await collectAnswer(opened.session, never())).text).toBe(text);
    const { pathname, search, origin: base } = new URL(opened.streamUrl);
    expect(base).toBe(BASE);
    expect(pathname).toBe(`/ai/stream/${opened.streamId}`);
    const again = await origin.app.inject({ url: `${pathname}${search}&format=json` });
    expect(again.body).toContain('"type":"done","status":"completed"');
    const state = await origin.app.inject({ url: `${pathname}/state${search}` });
    expect(state.json()).toMatchObject({ text, status: 'completed' });
    const stopped = await origin.app.inject({ method: 'DELETE', url: `${pathname}${search}` });
    expect(stopped.json()).toMatchObject({ status: 'completed' });
  });

  it('ANSWER-6: with a purpose begins without a reader, and its failure is told too', async () => {
    const ends: AnswerEnd[] = [];
    origin.gateway.answers.onEnd('unread', async (end) => {
      ends.push(end);
      throw new Error('a listener that fails');
    });
    const purpose = { kind: 'unread', id: 'turn-2' };
    await open(say({ status: 500 }), { model: 'gpt-4', purpose });
    await expect.poll(() => ends).toHaveLength(1);
    expect(ends[0]).toMatchObject({
      purpose,
      status: 'failed',
      text: '',
      error: { code: 'upstream_failed' },
    });
    await expect.poll(() => origin.logged.join('')).toContain('end of an answer was not taken');
  });

  it('ANSWER-8: shows its preface first, also where the answer was kept', async () => {
    const preface = [{ type: 'note', name: 'sources', data: { sources: [1] } }] as const;
    const prompt = say({ text });
    const wishes = { model: 'gpt-4', preface, cacheSeconds: 60 };
    const typesOf = async (url: string) => {
      const { pathname, search } = new URL(url);
      const { body } = await origin.app.inject({ url: `${pathname}${search}&format=json` });
      return [...body.matchAll(/"type":"(\w+)"/g)].map(([, type]) => type);
    };
    const first = await open(prompt, wishes);
    const types = await typesOf(first.streamUrl);
    expect(types[0]).toBe('note');
    expect(types.slice(-2)).toEqual(['usage', 'done']);
    await expect
      .poll(async () => (await open(prompt, wishes)).isCached, { timeout: 5000 })
      .toBe(true);
    const kept = await open(prompt, wishes);
    expect(await typesOf(kept.streamUrl)).toEqual(['note', 'delta', 'usage', 'done']);
    expect(vendor.countOf(prompt)).toBe(1);
  });
});

describe('a kept answer', () => {
  /** Asks until the answer has been kept. */
  const askTillKept = (prompt: string, changes: Partial<AnswerWish>) =>
    expect.poll(async () => (await ask(prompt, changes)).isCached, { timeout: 5000 }).toBe(true);

  it('ANSWER-9: serves the equal request of the same subject, costs nothing, and asks nobody', async () => {
    const prompt = say({ text });
    const wishes = { model: 'gpt-4', cacheSeconds: 60 };
    const first = await ask(prompt, wishes);
    expect(first.isCached).toBe(false);
    await askTillKept(prompt, wishes);
    const asked = vendor.countOf(prompt);
    const kept = await ask(prompt, wishes);
    expect(kept).toMatchObject({
      text,
      usage: first.usage,
      model: 'gpt-4',
      provider: 'openai',
      finishReason: 'stop',
      cost: { totalUsd: 0 },
    });
    expect(vendor.countOf(prompt)).toBe(asked);
    for (const other of [
      { subject: 'bob' },
      { model: 'gpt-6-sol' },
      { temperature: 0.5 },
      { maxTokens: 100 },
      { cacheSeconds: undefined },
    ]) {
      expect((await ask(prompt, { ...wishes, ...other })).isCached, JSON.stringify(other)).toBe(
        false,
      );
    }
  });

  it('ANSWER-9: with a purpose its end is told as any other', async () => {
    const prompt = say({ text });
    const wishes = { model: 'gpt-4', cacheSeconds: 60 };
    await askTillKept(prompt, wishes);
    const ends: AnswerEnd[] = [];
    origin.gateway.answers.onEnd('kept', async (end) => void ends.push(end));
    const purpose = { kind: 'kept', id: 'turn-3' };
    expect(await ask(prompt, { ...wishes, purpose })).toMatchObject({ text, isCached: true });
    await expect.poll(() => ends).toHaveLength(1);
    expect(ends[0]).toMatchObject({ text, status: 'completed', cost: { totalUsd: 0 } });
  });

  it('ANSWER-15: what its service says itself asks nobody, costs nothing and is not kept', async () => {
    const prompt = say({ text });
    const wishes = { model: 'gpt-4', cacheSeconds: 60 };
    const given = 'The documents do not say.';
    expect(await ask(prompt, { ...wishes, given })).toMatchObject({
      text: given,
      isCached: false,
      finishReason: 'stop',
      usage: { inputTokens: 0, outputTokens: 0 },
      cost: { totalUsd: 0 },
    });
    expect(vendor.countOf(prompt)).toBe(0);
    const opened = await origin.gateway.answers.open(wish(prompt, { ...wishes, given }), BASE);
    expect((await collectAnswer(opened.session, never())).text).toBe(given);
    await askTillKept(prompt, wishes);
    expect((await ask(prompt, wishes)).text).toBe(text);
  });

  it('ANSWER-9: is whole: one that was cut at its length is not kept', async () => {
    const prompt = say({ text, finish: 'length' });
    const wishes = { model: 'gpt-4', cacheSeconds: 60 };
    expect((await ask(prompt, wishes)).finishReason).toBe('length');
    const purpose = { kind: 'cut', id: '1' };
    expect((await ask(prompt, { ...wishes, purpose })).isCached).toBe(false);
    expect((await ask(prompt, wishes)).isCached).toBe(false);
    expect(vendor.countOf(prompt)).toBe(3);
  });
});

describe('a policy', () => {
  it('ANSWER-10: names models for calls beside an answer too', async () => {
    const targets = await origin.gateway.answers.targetsOf({ policy: 'best' });
    expect(targets.map(({ name }) => name)).toEqual([
      'claude-opus-5-5',
      'gpt-6-sol',
      'ollama/llama3.2:1b',
    ]);
    await expect(origin.gateway.answers.targetsOf({ model: 'azure/none' })).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  it('ANSWER-10: names the model of its kind, and others take over', async () => {
    const prompt = say({ text });
    expect(await ask(prompt, { policy: 'best' })).toMatchObject({ model: 'claude-opus-5-5' });
    expect(await ask(say({ text }), { policy: 'cheap' })).toMatchObject({ provider: 'ollama' });
    const failing = say({ text, status: 503, failTimes: 1 });
    expect(await ask(failing, { policy: 'best' })).toMatchObject({ model: 'gpt-6-sol' });
    expect(await ask(say({ text }), { policy: 'best', model: 'gpt-4' })).toMatchObject({
      model: 'gpt-4',
    });
  });
});
