import { expect, it } from 'vitest';
import { createMemoryLedger } from '../gateway/subject-ledger-memory.ts';
import { parseSettings } from '../protocol/settings.ts';
import { createEchoProvider } from '../providers/echo/adapter.ts';
import { createProviderRegistry } from '../providers/registry.ts';
import type { SessionState } from '../stream/session-state.ts';
import { type OpenChatInput, type OpenChatPorts, openChat } from './open-chat.ts';

const NOW = Date.UTC(2030, 0, 1);
const messages = [{ role: 'user', content: 'Hello.' }];

/** A host that keeps sessions, and says in which order it was asked. */
function createHost(env: Record<string, unknown> = {}) {
  const kept: SessionState[] = [];
  const asked: string[] = [];
  const ports: OpenChatPorts = {
    settings: parseSettings({ JWT_SECRET: 'first-secret-of-at-least-32-bytes!!', ...env }),
    async authorise() {
      asked.push('authorise');
      return { subject: 'alice' };
    },
    registry: createProviderRegistry({ providers: { echo: createEchoProvider() } }),
    ledger: createMemoryLedger({ perMinute: 1, maxLive: 10 }),
    nowMs: () => NOW,
    newStreamId: () => `s${kept.length + 1}`,
    create(state) {
      asked.push('create');
      kept.push(state);
    },
  };
  const open = (body: unknown, input: Partial<OpenChatInput> = {}) =>
    openChat(ports, {
      contentType: 'application/json; charset=utf-8',
      bodyText: typeof body === 'string' ? body : JSON.stringify(body),
      authorization: null,
      apiKey: null,
      ...input,
    });
  return { open, kept, asked };
}

it('OPENAI-8: the session starts with its reader, calls nobody, and stops its model when left', async () => {
  const { open, kept } = createHost();
  const opened = await open({ model: 'echo', messages, max_tokens: 5, user: 'u1', seed: 1 });
  expect(opened.meta).toEqual({ id: 'chatcmpl-s1', created: NOW / 1000, model: 'echo' });
  expect(kept[0]?.request).toEqual({
    streamId: 's1',
    subject: 'alice',
    targets: [{ provider: 'echo', model: 'echo', name: 'echo' }],
    messages,
    maxTokens: 5,
    openaiParams: { user: 'u1', seed: 1 },
    start: 'connect',
    onDisconnect: 'cancel',
    isKept: false,
    mayRestart: true,
    graceMs: 0,
    maxAnswerBytes: 4 * 1024 * 1024,
    userId: 'u1',
    chatId: null,
    prompt: 'Hello.',
  });
  expect(kept[0]?.times).toEqual({ ttlMs: 10_000, retentionMs: 60_000 });
});

it('OPENAI-1: without a model the default answers; `models` without `model` names all of them', async () => {
  expect((await createHost().open({ messages })).meta.model).toBe('echo');
  const { open, kept } = createHost({ STREAM_TTL_SECONDS: '3' });
  await open({ messages, models: ['echo', 'echo'] });
  expect(kept[0]?.request.targets).toHaveLength(1);
  expect(kept[0]?.times.ttlMs).toBe(3000);
});

it('OPENAI-5: a model that is not there is 404, by the field that names it', async () => {
  const { open, kept } = createHost();
  await expect(open({ model: 'no-such', messages })).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringMatching(/^model names no model/),
    details: { fields: [{ path: 'model' }] },
  });
  await expect(open({ model: 'echo', models: ['no-such'], messages })).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringMatching(/^models names no model/),
    details: { fields: [{ path: 'models' }] },
  });
  await expect(open({ model: 'gpt-4o', messages })).rejects.toMatchObject({ code: 'unavailable' });
  expect(kept).toEqual([]);
});

it('OPENAI-9: the caller is known before its request is judged, and its rate is one for all streams', async () => {
  const { open, asked, kept } = createHost();
  await expect(open({ messages: 'no' })).rejects.toMatchObject({ code: 'validation_failed' });
  await expect(open('{')).rejects.toMatchObject({ code: 'validation_failed' });
  expect(asked).toEqual(['authorise']);
  await open({ messages });
  await expect(open({ messages })).rejects.toMatchObject({
    code: 'rate_limited',
    details: { retryAfterSeconds: 60 },
  });
  expect(kept).toHaveLength(1);
});

it('OPENAI-5: a body that is not declared as JSON is not read, and too long a prompt is refused', async () => {
  const { open, asked } = createHost({ MAX_PROMPT_BYTES: '5' });
  for (const contentType of [null, 'text/plain', 'text/plain; application/json']) {
    await expect(open({ messages }, { contentType })).rejects.toMatchObject({
      code: 'unsupported_media_type',
    });
  }
  expect(asked).toEqual([]);
  await expect(open({ messages })).rejects.toMatchObject({ code: 'payload_too_large' });
});
