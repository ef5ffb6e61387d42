import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { StreamEvent } from '@headwater/shared/stream/event';
import type { SessionState } from '@headwater/shared/stream/session-state';
import type { StreamView } from '@headwater/shared/stream/stream-view';
import { aNewSession } from '@headwater/shared/testing/session-fixtures';
import { countTokens } from '@headwater/shared/text/count-tokens';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createSqlSessionStore } from '../adapters/sql-session-store.ts';
import { createSqlStreamLog } from '../adapters/sql-stream-log.ts';
import type { SessionObject } from './session-object.ts';

type Stub = DurableObjectStub<SessionObject>;

/** Bodies of the callbacks that went out, of every test: an object outlives the test that made it. */
const callbacks: Record<string, unknown>[] = [];

const callbacksOf = ({ request }: SessionState) =>
  callbacks.filter(({ streamId }) => streamId === request.streamId);

// The table of the tokenizer is loaded at its first use, which takes seconds under the test runner.
beforeAll(async () => {
  await countTokens('warm');
}, 60_000);

/** Waits for what happens by itself. */
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 8000, interval: 20 });

beforeEach(() => {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_url, init) => {
    callbacks.push(JSON.parse(String(init?.body)) as Record<string, unknown>);
    return new Response('ok');
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function open(changes: Parameters<typeof aNewSession>[1] = {}) {
  const id = env.SESSIONS.newUniqueId();
  const stub = env.SESSIONS.get(id);
  const state = aNewSession(Date.now(), { streamId: id.toString(), ...changes });
  await stub.open(state);
  return { stub, state };
}

async function viewOf(stub: Stub): Promise<StreamView> {
  const answer = await stub.view();
  if (!answer.ok) throw new Error(answer.error.code);
  return answer.value;
}

/** Everything one connection sees, up to its end. */
async function readAll(stub: Stub, after = ''): Promise<(StreamEvent & { id: string })[]> {
  const response = await stub.fetch(`https://session/?format=ws&after=${after}`, {
    headers: { upgrade: 'websocket' },
  });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`status ${response.status}`);
  const events: (StreamEvent & { id: string })[] = [];
  const closed = new Promise<void>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      events.push(JSON.parse(String(data)));
    });
    socket.addEventListener('close', () => {
      socket.close(1000);
      resolve();
    });
  });
  socket.accept();
  await closed;
  return events;
}

const textOf = (events: readonly StreamEvent[]) =>
  events.map((event) => (event.type === 'delta' ? event.text : '')).join('');

/** Leaves in the storage what a session that was lost in mid-answer leaves. */
const leaveStreaming = (stub: Stub, state: SessionState) =>
  runInDurableObject(stub, async (_object, { storage }) => {
    await createSqlSessionStore(storage.sql).save({ ...state, status: 'streaming' });
    await createSqlStreamLog(storage.sql).append({
      epoch: state.epoch,
      firstSeq: 1,
      events: [
        { type: 'delta', text: 'half ' },
        { type: 'delta', text: 'an answer' },
      ],
    });
  });

it('STREAM-6, OUTBOX-1: an answer is read live and again, and its callback goes out once', async () => {
  const { stub, state } = await open({ maxTokens: 5 });
  const live = await readAll(stub);
  expect(live.map(({ id }) => Number(id.split('-')[1]))).toEqual(live.map((_, at) => at + 1));
  expect(live.at(-1)).toMatchObject({ type: 'done', status: 'completed', finishReason: 'length' });
  expect(await readAll(stub)).toEqual(live);
  expect(await readAll(stub, live[2]?.id)).toEqual(live.slice(3));
  await eventually(() => expect(callbacksOf(state)).toHaveLength(1));
  expect(callbacksOf(state)[0]).toMatchObject({ status: 'completed', answer: textOf(live) });
  await eventually(async () =>
    expect((await viewOf(stub)).callback).toEqual({
      status: 'delivered',
      attempts: 1,
      lastStatus: 200,
    }),
  );
});

it('STREAM-9: a reader that has the final event gets 204', async () => {
  const { stub } = await open({ maxTokens: 2 });
  const last = (await readAll(stub)).at(-1)?.id;
  const headers = { upgrade: 'websocket' };
  const response = await stub.fetch(`https://session/?format=ws&after=${last}`, { headers });
  expect(response.status).toBe(204);
});

it('STREAM-16: one that was being answered is found as failed, with what was said, and calls back', async () => {
  const { stub, state } = await open();
  await leaveStreaming(stub, state);
  await evictDurableObject(stub);
  await eventually(async () =>
    expect(await viewOf(stub)).toMatchObject({
      status: 'failed',
      text: 'half an answer',
      error: { code: 'upstream_failed' },
    }),
  );
  const events = await readAll(stub);
  expect(events.map(({ type }) => type)).toEqual(['delta', 'delta', 'usage', 'error']);
  await eventually(() => expect(callbacksOf(state)).toHaveLength(1));
  expect(callbacksOf(state)[0]).toMatchObject({ status: 'failed', answer: 'half an answer' });
});

it('STREAM-3, STREAM-16: a pending one goes on waiting, and its alarm ends it as expired', async () => {
  const { stub, state } = await open();
  await evictDurableObject(stub);
  expect(await viewOf(stub)).toMatchObject({ status: 'pending' });
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await viewOf(stub)).toMatchObject({ status: 'pending' });
  await runInDurableObject(stub, async (_object, { storage }) => {
    expect(await storage.getAlarm()).toBe(state.wakeAtMs);
    await createSqlSessionStore(storage.sql).save({ ...state, wakeAtMs: Date.now() - 1 });
  });
  await evictDurableObject(stub);
  await stub.view();
  await runDurableObjectAlarm(stub);
  await eventually(async () => expect((await viewOf(stub)).status).toBe('expired'));
  const response = await stub.fetch('https://session/?format=ws', {
    headers: { upgrade: 'websocket' },
  });
  expect(response.status).toBe(410);
  await eventually(() => expect(callbacksOf(state)).toHaveLength(1));
  expect(callbacksOf(state)[0]).toMatchObject({ status: 'expired', answer: '', input_tokens: 0 });
});

it('STREAM-16: an ended one is replayed after an eviction, and calls back no second time', async () => {
  const { stub, state } = await open({ maxTokens: 3 });
  const live = await readAll(stub);
  await eventually(async () => expect((await viewOf(stub)).callback?.status).toBe('delivered'));
  await evictDurableObject(stub);
  expect(await readAll(stub)).toEqual(live);
  expect(await viewOf(stub)).toMatchObject({ status: 'completed', text: textOf(live) });
  expect(callbacksOf(state)).toHaveLength(1);
});

it('OUTBOX-7: a callback that nobody took survives an eviction, under the same id', async () => {
  const { stub, state } = await open();
  const id = `msg_${state.request.streamId}`;
  const ids: string[] = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_url, init) => {
    if (new Headers(init?.headers).get('webhook-id') === id) ids.push(id);
    return new Response('', { status: ids.length === 1 ? 503 : 200 });
  });
  await stub.cancel();
  await eventually(() => expect(ids).toHaveLength(1));
  await evictDurableObject(stub);
  await eventually(async () => {
    expect((await viewOf(stub)).callback).toMatchObject({ status: 'delivered', attempts: 2 });
  });
  expect(ids).toEqual([id, id]);
});

it('STREAM-4: after its retention the object forgets everything and answers 410', async () => {
  const { stub, state } = await open({ maxTokens: 2 });
  await readAll(stub);
  await eventually(async () => expect((await viewOf(stub)).callback?.status).toBe('delivered'));
  await runInDurableObject(stub, async (_object, { storage }) => {
    await createSqlSessionStore(storage.sql).save({
      ...state,
      status: 'completed',
      wakeAtMs: Date.now() - 1,
    });
  });
  await evictDurableObject(stub);
  await stub.view();
  await runDurableObjectAlarm(stub);
  await eventually(async () => expect(await stub.view()).toMatchObject({ ok: false }));
  await runInDurableObject(stub, async (_object, { storage }) => {
    expect(await storage.getAlarm()).toBeNull();
  });
});

it('STREAM-13: a cancel stops the model and shows what was said', async () => {
  const { stub } = await open({ start: 'now' });
  await eventually(async () => expect((await viewOf(stub)).text).not.toBe(''));
  const answer = await stub.cancel();
  expect(answer).toMatchObject({ ok: true, value: { status: 'cancelled' } });
  expect((await readAll(stub)).at(-1)).toMatchObject({ type: 'done', status: 'cancelled' });
});

it('opening twice changes nothing', async () => {
  const { stub, state } = await open({ maxTokens: 2 });
  await stub.open({ ...state, request: { ...state.request, prompt: 'another' } });
  await readAll(stub);
  await eventually(() => expect(callbacksOf(state)).toHaveLength(1));
  expect(callbacksOf(state)[0]).toMatchObject({ prompt: 'Say hello.' });
});

it('STREAM-4: a look at an id without a session leaves no storage behind', async () => {
  const stub = env.SESSIONS.get(env.SESSIONS.newUniqueId());
  expect(await stub.view()).toMatchObject({ ok: false, error: { code: 'expired' } });
  const tables = await runInDurableObject(stub, (_object, { storage }) =>
    storage.sql
      .exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .toArray(),
  );
  expect(tables).toEqual([]);
});
