import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ChatService } from '../chat/chat-service.ts';
import { createChat } from '../chat/create-chat.ts';
import { createBareApp } from '../testing/bare-app.ts';
import { openTestOrigin, type TestOrigin } from '../testing/open-test-origin.ts';
import { addAiChatRoutes } from './ai-chat.ts';
import { addStream } from './stream.ts';

const KEY = 'the-key-between-edge-and-origin';

let vendor: ScriptedVendor;
let origin: TestOrigin;
let chat: ChatService;
let app: FastifyInstance;

beforeAll(async () => {
  vendor = await startScriptedVendor();
  origin = await openTestOrigin({
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: vendor.openaiBaseUrl,
    INTERNAL_API_KEY: KEY,
    UPSTREAM_MAX_RETRIES: '0',
    UPSTREAM_BREAKER_FAILURES: '0',
    RATE_LIMIT_PER_MINUTE: '1000',
  });
  const { gateway } = origin;
  await gateway.database.hasVectors();
  chat = createChat({
    ...gateway,
    chat: { windowTokens: 500, maxSessions: 5, maxMessages: 100, retentionMs: 1e9 },
    clock: { nowMs: Date.now },
  });
  app = createBareApp(gateway.settings);
  addStream(app, gateway);
  addAiChatRoutes(app, { ...gateway, chat });
}, 60_000);
afterAll(async () => {
  await app?.close();
  await chat?.close();
  await origin?.close();
  await vendor?.close();
});

let callers = 0;
/** Somebody new. */
function createCaller() {
  callers += 1;
  const headers = { 'x-api-key': KEY, 'x-headwater-subject': `caller-${callers}` };
  async function ask(
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    body?: object,
    more: Record<string, string> = {},
  ) {
    const response = await app.inject({
      method,
      url,
      headers: { ...headers, ...more, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { payload: JSON.stringify(body) }),
    });
    const isJson = String(response.headers['content-type']).includes('json');
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      json: isJson ? response.json() : undefined,
    };
  }
  const say = (message: string, more: object = {}, given: Record<string, string> = {}) =>
    ask('POST', '/ai/chat', { message, ...more }, given);
  return { ask, say };
}

let said = 0;
/** A message that nobody has sent before, answered with `text`. */
const scripted = (text: string, more: object = {}): string => {
  said += 1;
  return scriptedPrompt({ text, ...more }, String(said));
};

/** The events of an SSE body with JSON in it. */
const eventsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)));

const lastMessages = () =>
  (vendor.requests.at(-1)?.body as { messages: { role: string; content: string }[] } | undefined)
    ?.messages ?? [];

it('CHAT-1: a turn is answered with its conversation, its message and what every answer has', async () => {
  const { say } = createCaller();
  const { status, headers, json } = await say(scripted('Hello Ada.'), { model: 'gpt-4.1' });
  expect(status).toBe(200);
  expect(headers['cache-control']).toBe('no-store');
  expect(json).toEqual({
    session_id: expect.stringMatching(/^chat_[0-9a-f]{32}$/),
    message_id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
    response: 'Hello Ada.',
    text: 'Hello Ada.',
    model: 'gpt-4.1',
    provider: 'openai',
    usage: { input_tokens: expect.any(Number), output_tokens: 2, source: 'provider' },
    cost: expect.objectContaining({ total_usd: expect.any(Number) }),
    finish_reason: 'stop',
    cached: false,
    processing_time: expect.any(Number),
    summarised: false,
    warnings: [],
    summary_usage: null,
  });
  const next = scripted('You are Ada.');
  const second = await say(next, { session_id: json.session_id, temperature: 0.5 });
  expect(second.json).toMatchObject({ session_id: json.session_id, response: 'You are Ada.' });
  expect(lastMessages().map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  expect(lastMessages()[1]?.content).toBe('Hello Ada.');
});

it('CHAT-1: faults are named by field; a body that is no JSON is refused; callers show who they are', async () => {
  const { ask, say } = createCaller();
  const faulty = await say('', {
    temperature: 9,
    update_system: true,
    system: 'a',
    system_prompt: 'b',
  });
  expect([faulty.status, faulty.json.error.code]).toEqual([400, 'validation_failed']);
  const other = await say('x', { system: 'a', system_prompt: 'b' });
  expect(other.json.error.details.fields).toMatchObject([{ path: 'system_prompt' }]);
  expect((await say('x', { update_system: true })).status).toBe(400);
  const plain = await ask('POST', '/ai/chat', { message: 'x' }, { 'content-type': 'text/plain' });
  expect(plain.status).not.toBe(500);
  expect((await ask('GET', '/ai/chat?limit=0')).status).toBe(400);
  expect((await ask('GET', '/ai/chat?limit=201')).status).toBe(400);
  const wrong = await ask('GET', '/ai/chat', undefined, { 'x-api-key': 'wrong' });
  expect(wrong.status).toBe(401);
});

it('CHAT-1: another caller neither finds, goes on with, nor deletes a conversation', async () => {
  const { say, ask } = createCaller();
  const stranger = createCaller();
  const { session_id } = (await say(scripted('mine'))).json;
  const path = `/ai/chat/${session_id}`;
  const asked = vendor.requests.length;
  for (const refused of [
    await stranger.ask('GET', path),
    await stranger.ask('DELETE', path),
    await stranger.say('hello', { session_id }),
    await stranger.ask('GET', '/ai/chat/chat_1'),
  ]) {
    expect([refused.status, refused.json.error.code]).toEqual([404, 'not_found']);
  }
  expect((await stranger.ask('GET', '/ai/chat')).json.sessions).toEqual([]);
  expect(vendor.requests.length).toBe(asked);
  expect((await ask('GET', path)).status).toBe(200);
});

it('CHAT-16: a streamed turn says first whose it is, and is kept as well', async () => {
  const { say, ask } = createCaller();
  const { status, headers, text } = await say(scripted('one two three'), { stream: true });
  expect(status).toBe(200);
  expect(headers['content-type']).toContain('text/event-stream');
  expect(headers['x-stream-url']).toMatch(/\/ai\/stream\/.*access_token=/);
  const [note, ...events] = eventsOf(text);
  expect(note).toEqual({
    type: 'note',
    name: 'chat',
    data: {
      session_id: expect.stringMatching(/^chat_/),
      message_id: expect.stringMatching(/^msg_/),
      summarised: false,
      warnings: [],
    },
  });
  const deltas = events.filter(({ type }) => type === 'delta');
  expect(deltas.map((event) => event.text).join('')).toBe('one two three');
  expect(events.at(-1)).toMatchObject({ type: 'done', status: 'completed' });
  const read = async () => (await ask('GET', `/ai/chat/${note.data.session_id}`)).json.messages[1];
  await expect.poll(read).toMatchObject({
    message_id: note.data.message_id,
    status: 'completed',
    content: 'one two three',
    usage: { source: 'provider' },
  });
  // The stream is found by GET, from its start.
  const url = new URL(String(headers['x-stream-url']));
  const again = await app.inject({
    method: 'GET',
    url: `${url.pathname}${url.search}&format=json`,
  });
  expect(eventsOf(again.body)[0]).toEqual(note);
});

it('CHAT-4: the same key gives the same answer, whole or as a stream', async () => {
  const { say, ask } = createCaller();
  const message = scripted('only once');
  const key = { 'idempotency-key': 'key-1' };
  const [first, second] = await Promise.all([say(message, {}, key), say(message, {}, key)]);
  expect(second?.json).toEqual(first?.json);
  const replayed = [first, second].map((answer) => answer?.headers['idempotent-replayed']);
  expect(replayed.toSorted()).toEqual(['true', undefined]);
  expect(vendor.countOf(message)).toBe(1);
  const other = await say('another', {}, key);
  expect([other.status, other.json.error.code]).toEqual([422, 'unprocessable']);
  expect((await say(message, {}, { 'idempotency-key': 'ü' })).status).toBe(400);

  const streamed = { ...key, 'idempotency-key': 'key-2' };
  const next = scripted('as it comes');
  const one = await say(next, { stream: true }, streamed);
  const two = await say(next, { stream: true }, streamed);
  expect(eventsOf(two.text)).toEqual(eventsOf(one.text));
  expect(two.headers['idempotent-replayed']).toBe('true');
  expect(vendor.countOf(next)).toBe(1);
  expect((await ask('GET', '/ai/chat')).json.sessions).toHaveLength(2);
});

it('CHAT-3: a second message during an answer is 409, and the answer goes on', async () => {
  const { say, ask } = createCaller();
  const { session_id } = (await say(scripted('hello'))).json;
  const slow = say(scripted('slow but whole', { firstDelayMs: 4_000 }), { session_id });
  const pending = async () => (await ask('GET', `/ai/chat/${session_id}`)).json.messages.at(-1);
  await expect.poll(pending).toMatchObject({ status: 'pending' });
  const second = await say(scripted('too early'), { session_id });
  expect([second.status, second.json.error.code]).toEqual([409, 'conflict']);
  expect((await slow).json).toMatchObject({ response: 'slow but whole' });
  expect((await say(scripted('now'), { session_id })).status).toBe(200);
}, 60_000);

it('CHAT-10: a failed answer is told by its code and kept as failed, with what was said', async () => {
  const { say, ask } = createCaller();
  const { session_id } = (await say(scripted('hello'))).json;
  const broken = scripted('half of it is lost', { fault: 'cut', afterTokens: 2 });
  const { status, json } = await say(broken, { session_id });
  expect([status, json.error.code]).toEqual([502, 'upstream_failed']);
  const { messages } = (await ask('GET', `/ai/chat/${session_id}`)).json;
  expect(messages.at(-1)).toMatchObject({
    status: 'failed',
    content: 'half of',
    error: { code: 'upstream_failed' },
  });
  expect((await say(scripted('fine again'), { session_id })).status).toBe(200);
  expect(lastMessages().map(({ content }) => content)).toContain('half of');
});

it('CHAT-2: an unknown model is refused, and no conversation begins', async () => {
  const { say, ask } = createCaller();
  const { status, json } = await say('hello', { model: 'nobody-serves-this' });
  expect([status, json.error.code]).toEqual([400, 'validation_failed']);
  expect((await ask('GET', '/ai/chat')).json).toEqual({ sessions: [], next_after: null });
});

it('CHAT-7, CHAT-9: what falls out of the window comes back as a summary in a user’s message', async () => {
  const { say, ask } = createCaller();
  const long = (text: string) => scripted(text, { note: 'word '.repeat(150) });
  const { session_id } = (await say(long('one'), { system_prompt: 'Be kind.' })).json;
  await say(long('two'), { session_id });
  const { json } = await say(long('three'), { session_id });
  expect(json).toMatchObject({
    summarised: true,
    warnings: [],
    summary_usage: { input_tokens: expect.any(Number) },
  });
  const { summary, system_prompt } = (await ask('GET', `/ai/chat/${session_id}`)).json;
  expect([summary, system_prompt]).toEqual([expect.any(String), 'Be kind.']);
  const sent = lastMessages();
  expect(sent[0]).toEqual({ role: 'system', content: 'Be kind.' });
  expect(sent[1]).toMatchObject({ role: 'user', content: expect.stringContaining(summary) });
});

it('CHAT-11: the rules of a conversation change by update_system alone', async () => {
  const { say } = createCaller();
  const { session_id } = (await say(scripted('a'), { system: 'Be brief.' })).json;
  const other = await say(scripted('b'), { session_id, system: 'Be long.' });
  expect([other.status, other.json.error.details.fields[0].message]).toEqual([
    400,
    expect.stringContaining('update_system'),
  ]);
  const meant = { session_id, system: 'Be long.', update_system: true };
  expect((await say(scripted('c'), meant)).status).toBe(200);
  expect(lastMessages()[0]).toEqual({ role: 'system', content: 'Be long.' });
});

it('CHAT-12: who has as many conversations as allowed is told to delete one', async () => {
  const { say, ask } = createCaller();
  for (let count = 0; count < 5; count += 1) await say(scripted('a'));
  const { status, json } = await say(scripted('b'));
  expect([status, json.error.code]).toEqual([429, 'rate_limited']);
  const { sessions } = (await ask('GET', '/ai/chat')).json;
  await ask('DELETE', `/ai/chat/${sessions[0].session_id}`);
  expect((await say(scripted('c'))).status).toBe(200);
});

it('CHAT-14: conversations and messages are listed page by page', async () => {
  const { say, ask } = createCaller();
  const ids: string[] = [];
  for (const text of ['a', 'b', 'c']) ids.unshift((await say(scripted(text))).json.session_id);
  const first = (await ask('GET', '/ai/chat?limit=2')).json;
  expect(first.next_after).toBe(first.sessions[1].session_id);
  const rest = (await ask('GET', `/ai/chat?limit=2&after=${first.next_after}`)).json;
  expect(rest.next_after).toBeNull();
  const listed = [...first.sessions, ...rest.sessions];
  expect(listed.map(({ session_id }) => session_id)).toEqual(ids);
  expect(listed[0]).toEqual({
    session_id: ids[0],
    message_count: 2,
    created_at: expect.stringMatching(/Z$/),
    last_used_at: expect.stringMatching(/Z$/),
  });
  const path = `/ai/chat/${ids[0]}`;
  const page = (await ask('GET', `${path}?limit=1`)).json;
  expect(page.messages).toMatchObject([{ role: 'user', status: 'completed', model: null }]);
  const next = (await ask('GET', `${path}?limit=1&after=${page.next_after}`)).json;
  expect(next.messages).toMatchObject([{ role: 'assistant', content: 'c' }]);
  expect(next.next_after).toBeNull();
});

it('CHAT-15: a deleted conversation is gone, and the model it waited for is stopped', async () => {
  const { say, ask } = createCaller();
  const { session_id } = (await say(scripted('hello'))).json;
  const message = scripted('never to be said', { fault: 'stall', afterTokens: 1 });
  const waiting = say(message, { session_id });
  await expect.poll(() => vendor.countOf(message)).toBe(1);
  expect((await ask('DELETE', `/ai/chat/${session_id}`)).status).toBe(204);
  expect((await waiting).status).toBe(404);
  const request = vendor.requests.findLast(({ body }) => JSON.stringify(body).includes('never to'));
  await expect.poll(() => request?.aborted).toBe(true);
  expect((await ask('GET', `/ai/chat/${session_id}`)).status).toBe(404);
  expect((await ask('DELETE', `/ai/chat/${session_id}`)).status).toBe(404);
});
