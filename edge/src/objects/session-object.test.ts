import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { echoAnswer } from '@headwater/shared/providers/echo/adapter';
import { parseEventId, type StreamEvent } from '@headwater/shared/stream/event';
import type { SessionState } from '@headwater/shared/stream/session-state';
import type { StreamView } from '@headwater/shared/stream/stream-view';
import { aChatSession, aNewSession } from '@headwater/shared/testing/session-fixtures';
import { countTokens } from '@headwater/shared/text/count-tokens';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createKvEventKeeper } from '../adapters/kv-event-keeper.ts';
import { createKvSessionStore } from '../adapters/kv-session-store.ts';
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

type SeenEvent = StreamEvent & { id: string };

/** A connection to the object, as the Worker holds it. */
async function connect(stub: Stub, after = '') {
  const response = await stub.fetch(`https://session/?format=ws&after=${after}`, {
    headers: { upgrade: 'websocket' },
  });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`status ${response.status}`);
  const events: SeenEvent[] = [];
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      events.push(JSON.parse(String(data)));
    });
    socket.addEventListener('close', ({ code }) => {
      socket.close(1000);
      resolve(code);
    });
  });
  socket.accept();
  return { events, closed };
}

/** Everything one connection sees, up to its end. */
async function readAll(stub: Stub, after = ''): Promise<SeenEvent[]> {
  const { events, closed } = await connect(stub, after);
  await closed;
  return events;
}

const textOf = (events: readonly StreamEvent[]) =>
  events.map((event) => (event.type === 'delta' ? event.text : '')).join('');

/** Leaves in the storage what a session that was lost in mid-answer leaves, and what `changes`. */
async function loseInMidAnswer(
  stub: Stub,
  state: SessionState,
  changes: Partial<SessionState> = {},
  sealed: readonly StreamEvent[] = [],
) {
  await runInDurableObject(stub, async (_object, { storage }) => {
    await createKvSessionStore(storage.kv).save({ ...state, status: 'streaming', ...changes });
    if (sealed.length === 0) return;
    await createKvEventKeeper(storage.kv).keep({ epoch: state.epoch, events: sealed });
  });
  await evictDurableObject(stub);
}

/** The object dies in mid-answer, as by a crash; gives what reaches its next life. */
async function crash(stub: Stub): Promise<Stub> {
  const died = runInDurableObject(stub, (_object, ctx) => ctx.abort('crash'));
  await expect(died).rejects.toThrow('crash');
  return env.SESSIONS.get(stub.id);
}

const keptEvents = (stub: Stub) =>
  runInDurableObject(stub, (_object, { storage }) => createKvEventKeeper(storage.kv).load());

/** What the object keeps: tables but the runtime's own, and keys. */
const keptBy = (stub: Stub) =>
  runInDurableObject(stub, (_object, { storage }) => [
    ...storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name <> '_cf_METADATA'")
      .toArray()
      .map(({ name }) => name),
    ...[...storage.kv.list()].map(([key]) => key),
  ]);

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

it('STREAM-7: a live answer is in memory alone, and kept before its end is shown', async () => {
  const { stub, state } = await open();
  const { events, closed } = await connect(stub);
  await eventually(() => expect(events.length).toBeGreaterThan(0));
  expect(await keptEvents(stub)).toBeUndefined();
  await closed;
  const kept = await keptEvents(stub);
  expect(kept?.epoch).toBe(state.epoch);
  expect(kept?.events).toEqual(events.map(({ id: _id, ...event }) => event));
});

it('STREAM-16, STREAM-20: an answer that a crash cut begins again, and its readers come back to that', async () => {
  const { stub, state } = await open();
  const before = await connect(stub);
  await eventually(() => expect(textOf(before.events)).not.toBe(''));
  const next = await crash(stub);
  expect(await viewOf(next)).toMatchObject({ status: 'streaming' });
  const after = await readAll(next, before.events[0]?.id);
  expect(await before.closed).not.toBe(1000);
  expect(after[0]).toMatchObject({ type: 'restart', reason: 'unavailable', model: 'echo' });
  expect(after.at(-1)).toMatchObject({ type: 'done', status: 'completed' });
  const answer = echoAnswer(state.request.messages);
  expect(textOf(after)).toBe(answer);
  for (const [at, { id }] of after.entries()) {
    expect(parseEventId(id)?.seq).toBe(at + 1);
    expect(parseEventId(id)?.epoch).toBeGreaterThan(state.epoch);
  }
  await eventually(() => expect(callbacksOf(state)).toHaveLength(1));
  expect(callbacksOf(state)[0]).toMatchObject({ status: 'completed', answer });
});

it('STREAM-16: one that its host lost again and again fails, and calls back', async () => {
  const { stub, state } = await open();
  await loseInMidAnswer(stub, state, { revivals: 2 });
  const events = await readAll(stub);
  expect(events.map(({ type }) => type)).toEqual(['restart', 'usage', 'error']);
  expect(await viewOf(stub)).toMatchObject({
    status: 'failed',
    text: '',
    error: { code: 'upstream_failed' },
  });
  await eventually(() => expect(callbacksOf(state)).toHaveLength(1));
  expect(callbacksOf(state)[0]).toMatchObject({ status: 'failed', answer: '' });
});

it('STREAM-7: an end that was kept, but not told, is told by the next life, and nothing begins again', async () => {
  const { stub, state } = await open();
  await loseInMidAnswer(stub, state, {}, [
    { type: 'delta', text: 'All of it.' },
    { type: 'usage', inputTokens: 3, outputTokens: 4, source: 'provider' },
    { type: 'done', status: 'completed', finishReason: 'stop' },
  ]);
  expect((await readAll(stub)).map(({ type }) => type)).toEqual(['delta', 'usage', 'done']);
  await eventually(() => expect(callbacksOf(state)).toHaveLength(1));
  expect(callbacksOf(state)[0]).toMatchObject({
    status: 'completed',
    answer: 'All of it.',
    output_tokens: 4,
  });
  await evictDurableObject(stub);
  expect(await viewOf(stub)).toMatchObject({ status: 'completed', text: 'All of it.' });
  expect(callbacksOf(state)).toHaveLength(1);
});

it('STREAM-3, STREAM-16: a pending one goes on waiting, and its alarm ends it as expired', async () => {
  const { stub, state } = await open();
  await evictDurableObject(stub);
  expect(await viewOf(stub)).toMatchObject({ status: 'pending' });
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await viewOf(stub)).toMatchObject({ status: 'pending' });
  await runInDurableObject(stub, async (_object, { storage }) => {
    expect(await storage.getAlarm()).toBe(state.wakeAtMs);
    await createKvSessionStore(storage.kv).save({ ...state, wakeAtMs: Date.now() - 1 });
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
    await createKvSessionStore(storage.kv).save({
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
  expect(await keptBy(stub)).toEqual([]);
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

it('IDEM-3: opened twice at once, a session starts once', async () => {
  const id = env.SESSIONS.newUniqueId();
  const stub = env.SESSIONS.get(id);
  const state = aNewSession(Date.now(), { streamId: id.toString(), start: 'now', maxTokens: 3 });
  await runInDurableObject(stub, (object) => Promise.all([object.open(state), object.open(state)]));
  const events = await readAll(stub);
  expect(events.map(({ type }) => type)).toEqual(['delta', 'delta', 'delta', 'usage', 'done']);
  await eventually(() => expect(callbacksOf(state)).toHaveLength(1));
});

it('LIMIT-3: the end of a session frees its subject’s place', async () => {
  const subject = 'a caller with one stream';
  const { stub, state } = await open({ subject, maxTokens: 2 });
  const { streamId } = state.request;
  const ledger = env.SUBJECTS.getByName(subject);
  const nowMs = Date.now();
  const times = { nowMs, liveUntilMs: nowMs + 3_600_000 };
  await ledger.admit({ subject, streamId, streamUrl: '', ...times });
  const leases = () =>
    runInDurableObject(ledger, (_object, { storage }) =>
      storage.sql.exec('SELECT stream_id FROM leases').toArray(),
    );
  await eventually(async () => expect(await leases()).toEqual([{ stream_id: streamId }]));
  await readAll(stub);
  await eventually(async () => expect(await leases()).toEqual([]));
});

it('EDGE-1: a prompt and an answer of a megabyte each are kept, told and found again', async () => {
  const prompt = '漢'.repeat(350_000);
  const { stub, state } = await open({
    prompt,
    messages: [{ role: 'user', content: prompt }],
    start: 'now',
  });
  await eventually(() => expect(callbacksOf(state)).toHaveLength(1));
  const answer = echoAnswer(state.request.messages);
  expect(callbacksOf(state)[0]).toMatchObject({ status: 'completed', prompt, answer });
  await evictDurableObject(stub);
  expect(await viewOf(stub)).toMatchObject({
    status: 'completed',
    text: answer,
    callback: { status: 'delivered' },
  });
});

it('STREAM-4: a look at an id without a session leaves no storage behind', async () => {
  const stub = env.SESSIONS.get(env.SESSIONS.newUniqueId());
  expect(await stub.view()).toMatchObject({ ok: false, error: { code: 'expired' } });
  expect(await keptBy(stub)).toEqual([]);
});

it('STREAM-28: a session that is not kept leaves no storage and no alarm', async () => {
  const id = env.SESSIONS.newUniqueId();
  const stub = env.SESSIONS.get(id);
  const state = aChatSession(Date.now(), id.toString());
  await stub.open(state);
  expect(textOf(await readAll(stub))).toBe(echoAnswer(state.request.messages));
  expect(await keptBy(stub)).toEqual([]);
  await runInDurableObject(stub, async (_object, { storage }) => {
    expect(await storage.getAlarm()).toBeNull();
  });
});
