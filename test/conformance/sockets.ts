/** Readers by WebSocket: beside event streams, resuming, cancelling, misbehaving. */

import { createAccessTokens } from '@headwater/shared/security/access-token';
import { scriptedAnswer, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import {
  openStream,
  readStream,
  stateOf,
  stateOnce,
  TEST_SECRET,
  textOf,
} from '../hosts/gateway-client.ts';
import {
  openSocket,
  postWithH2cOffer,
  readSocket,
  refusedUpgrade,
  type SocketEvent,
  type SocketOptions,
  socketText,
} from '../hosts/socket-client.ts';
import { ALLOWED_PAGE, type World } from '../hosts/world.ts';

/** A small linear congruential generator (Numerical Recipes' constants): the cuts of a seed are the same in every run. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Adds the tests. */
export function describeSockets(world: () => World): void {
  const open = (name: string, prompt: string) => {
    const { host, receiver } = world();
    return openStream(host.baseUrl, `socket-${name}`, {
      resumeUrl: receiver.urlFor(`socket-${name}`),
      prompt,
    });
  };
  /** The whole stream, as an event stream in the JSON form tells it. */
  const whole = async (streamUrl: string) => {
    const { events } = await readStream(streamUrl, { query: { format: 'json' } });
    return events.map(({ id, data }) => ({ id, ...(JSON.parse(data) as object) }));
  };

  it('SOCKET-1: sockets and event streams, early and late, all get the same answer', async () => {
    const prompt = scriptedPrompt({ tokens: 60, delayMs: 10 });
    const streamUrl = await open('fan-out', prompt);
    const early = readSocket(streamUrl);
    const event = readStream(streamUrl);
    await stateOnce(streamUrl, ({ lastEventSeq }) => Number(lastEventSeq) > 10);
    const late = readSocket(streamUrl, { headers: { 'x-request-id': 'late' } });
    await stateOnce(streamUrl, ({ lastEventSeq }) => Number(lastEventSeq) > 30);
    const later = readSocket(streamUrl);
    const sockets = await Promise.all([early, late, later]);
    const afterEnd = await readSocket(streamUrl);
    expect(textOf((await event).events)).toBe(scriptedAnswer(prompt));
    expect(afterEnd.events).toEqual(await whole(streamUrl));
    expect(socketText(afterEnd.events)).toBe(scriptedAnswer(prompt));
    for (const { events, code } of sockets) {
      expect(code).toBe(1000);
      expect(events).toEqual(afterEnd.events);
    }
  });

  it('SOCKET-2: who may not read is refused before the upgrade, with status and error', async () => {
    const url = new URL(await open('access', 'Tell me.'));
    const other = new URL(await open('other', 'Tell me.'));
    const bare = `${url.origin}${url.pathname}`;
    expect(await refusedUpgrade(bare, { 'x-request-id': 'req-ws' })).toMatchObject({
      status: 401,
      requestId: 'req-ws',
      body: { error: { code: 'unauthorized', requestId: 'req-ws' } },
    });
    expect(await refusedUpgrade(`${bare}${other.search}`)).toMatchObject({
      status: 403,
      body: { error: { code: 'forbidden' } },
    });
    expect((await refusedUpgrade(`${url}&format=xml`)).status).toBe(400);
    const id = '00000000-0000-4000-8000-000000000000';
    const token = await createAccessTokens({ secrets: [TEST_SECRET] }).issue(
      id,
      Date.now() + 60_000,
    );
    const gone = await refusedUpgrade(`${url.origin}/stream/${id}?access_token=${token}`);
    expect([404, 410]).toContain(gone.status);
    // Nobody has connected, for as long as this took.
    expect(['pending', 'expired']).toContain((await stateOf(url.href))['status']);
  });

  it('SOCKET-2: the token opens a socket as Bearer and as cookie too', async () => {
    const url = new URL(await open('bearer', 'Tell me.'));
    const token = url.searchParams.get('access_token') ?? '';
    const bare = `${url.origin}${url.pathname}`;
    for (const headers of [
      { authorization: `Bearer ${token}` },
      { cookie: `access_token=${token}` },
    ]) {
      expect((await readSocket(bare, { headers })).events.at(-1)).toMatchObject({ type: 'done' });
    }
  });

  it('SOCKET-2: a page of another site cannot use the cookie of its visitor', async () => {
    const url = new URL(await open('cross-site', 'Tell me.'));
    const cookie = `access_token=${url.searchParams.get('access_token')}`;
    const bare = `${url.origin}${url.pathname}`;
    const evil = { cookie, origin: 'https://evil.example.com' };
    expect((await refusedUpgrade(bare, evil)).status).toBe(403);
    for (const origin of [ALLOWED_PAGE, url.origin]) {
      expect((await readSocket(bare, { headers: { cookie, origin } })).code).toBe(1000);
    }
  });

  for (const seed of [1, 2, 3]) {
    it(`SOCKET-3: cut at random places (seed ${seed}), a reader has every event once, in order`, async () => {
      const random = createRandom(seed);
      const prompt = scriptedPrompt({ tokens: 60, delayMs: 6, seed });
      const streamUrl = await open(`cuts-${seed}`, prompt);
      const seen: SocketEvent[] = [];
      for (let round = 0; round < 200; round += 1) {
        const last = seen.at(-1)?.id ?? '';
        const enough = 1 + Math.floor(random() * 9);
        const ways: SocketOptions[] = [
          { query: { last_event_id: last } },
          { headers: { 'last-event-id': last } },
          { first: { type: 'resume', after: last } },
          { first: { type: 'resume', after: last }, headers: { 'x-request-id': 'r' } },
        ];
        const how = last === '' ? {} : ways[Math.floor(random() * ways.length)];
        const { events, code } = await readSocket(streamUrl, {
          ...how,
          until: (now) => now.length >= enough,
        });
        seen.push(...events);
        if (code === 1000 && events.length === 0) break;
      }
      expect(socketText(seen)).toBe(scriptedAnswer(prompt));
      expect(seen).toEqual(await whole(streamUrl));
    });
  }

  it('SOCKET-3: an id that is not known starts again from the first event', async () => {
    const streamUrl = await open('ids', 'Tell me.');
    const all = await readSocket(streamUrl);
    const epoch = all.events[0]?.id?.split('-')[0] ?? '';
    for (const strange of ['nonsense', `${epoch}-9999`, `${epoch}x-2`]) {
      const byQuery = await readSocket(streamUrl, { query: { last_event_id: strange } });
      const byWord = await readSocket(streamUrl, { first: { type: 'resume', after: strange } });
      for (const { events } of [byQuery, byWord]) {
        expect(events.filter(({ id }) => id !== undefined)).toEqual(all.events);
      }
    }
  });

  it('SOCKET-4: a resume in mid-stream repeats what was asked for, and goes on without a seam', async () => {
    const prompt = scriptedPrompt({ tokens: 40, delayMs: 10 });
    const streamUrl = await open('again', prompt);
    const reader = await openSocket(streamUrl);
    await reader.once(({ length }) => length >= 12);
    const atResume = reader.events[3]?.id;
    reader.say({ type: 'resume', after: atResume });
    expect((await reader.closed).code).toBe(1000);
    const all = await whole(streamUrl);
    const again = reader.events.findIndex(({ id }, at) => at > 4 && id === reader.events[4]?.id);
    expect(again).toBeGreaterThanOrEqual(12);
    expect(reader.events.slice(0, again)).toEqual(all.slice(0, again));
    expect(reader.events.slice(again)).toEqual(all.slice(4));
  });

  it('SOCKET-5: a cancel stops the model, and every reader gets `done` with status cancelled', async () => {
    const streamUrl = await open('cancel', scriptedPrompt({ tokens: 5000, delayMs: 10 }));
    const event = readStream(streamUrl);
    const reader = await openSocket(streamUrl);
    await reader.once(({ length }) => length >= 5);
    reader.say({ type: 'cancel' });
    expect((await reader.closed).code).toBe(1000);
    expect(reader.events.at(-1)).toMatchObject({ type: 'done', status: 'cancelled' });
    expect((await event).events.at(-1)?.data).toBe('[DONE]');
    const { body } = await world().receiver.attempt('socket-cancel');
    expect(body).toMatchObject({ status: 'cancelled', answer: socketText(reader.events) });
  });

  it('SOCKET-5: a reader that has the final event is let go at once', async () => {
    const streamUrl = await open('end', 'Tell me.');
    const { events } = await readSocket(streamUrl);
    const last = events.at(-1)?.id ?? '';
    const byQuery = await readSocket(streamUrl, { query: { last_event_id: last } });
    expect(byQuery).toMatchObject({ code: 1000, events: [] });
    const byWord = await readSocket(streamUrl, { first: { type: 'resume', after: last } });
    expect(byWord).toMatchObject({ code: 1000, events: [] });
  });

  it('SOCKET-6, SOCKET-7: a reader that talks nonsense, or too much, is let go, and the others go on', async () => {
    const prompt = scriptedPrompt({ tokens: 60, delayMs: 10 });
    const streamUrl = await open('nonsense', prompt);
    const good = readSocket(streamUrl);
    const nonsense = [
      'hello',
      '[1]',
      { type: 'dance' },
      { type: 'resume', after: 7 },
      new Uint8Array([1, 2]),
      { type: 'ping', x: 'x'.repeat(5000) },
    ];
    for (const message of nonsense) {
      const reader = await openSocket(streamUrl);
      reader.say(message);
      expect(await reader.closed).toEqual({ code: 4400, reason: 'validation_failed' });
      expect(reader.events.at(-1)).toMatchObject({ type: 'error', code: 'validation_failed' });
      expect(reader.events.at(-1)?.id).toBeUndefined();
    }
    const loud = await openSocket(streamUrl);
    for (let sent = 0; sent < 25; sent += 1) loud.say('{"type": "ping"}');
    expect(await loud.closed).toEqual({ code: 4429, reason: 'rate_limited' });
    expect(socketText((await good).events)).toBe(scriptedAnswer(prompt));
  });

  it('SOCKET-8: an answer of megabytes is replayed whole over one socket', async () => {
    const { host, receiver } = world();
    const prompt = scriptedPrompt({ tokens: 30_000 });
    const streamUrl = await openStream(host.baseUrl, 'socket-megabytes', {
      resumeUrl: receiver.urlFor('socket-megabytes'),
      prompt,
      max_tokens: 40_000,
      start: 'now',
    });
    await receiver.attempt('socket-megabytes');
    const { events, code } = await readSocket(streamUrl);
    expect(JSON.stringify(events).length).toBeGreaterThan(1024 * 1024);
    expect([code, events.at(-1)?.type]).toEqual([1000, 'done']);
    expect(socketText(events)).toBe(scriptedAnswer(prompt));
  });

  it('SOCKET-9: a ping is answered', async () => {
    const streamUrl = await open('ping', scriptedPrompt({ firstDelayMs: 500 }));
    const reader = await openSocket(streamUrl);
    reader.say('{"type":"ping"}');
    reader.say('{ "type": "ping" }');
    expect((await reader.closed).code).toBe(1000);
    expect(reader.events.slice(0, 2)).toEqual([{ type: 'pong' }, { type: 'pong' }]);
  });

  it('SOCKET-2: an upgrade that is none to a socket does not keep a request from its answer', async () => {
    const { host, receiver } = world();
    const body = { resumeUrl: receiver.urlFor('h2c') };
    const answer = await postWithH2cOffer(`${host.baseUrl}/init-stream`, JSON.stringify(body));
    expect(answer).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    const health = await refusedUpgrade(`${host.baseUrl}/health`);
    expect(health).toMatchObject({ status: 200, body: { status: 'ok' } });
  });
}
