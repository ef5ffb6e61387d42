import { describe, expect, it } from 'vitest';
import { createFakeEventSource } from './fake-event-source.ts';
import {
  initBody,
  initStream,
  readStream,
  type StreamEvent,
  streamAddress,
} from './stream-client.ts';
import type { Fetch } from './wire.ts';

const BASE_URL = 'http://127.0.0.1:8787/';
const REQUEST = { prompt: 'Hi', resumeUrl: 'http://127.0.0.1:8787/dev/callback' };

function answering(status: number, body: string): Fetch {
  return async () => new Response(body, { status });
}

function reading() {
  const source = createFakeEventSource();
  const events: StreamEvent[] = [];
  const close = readStream(source, (event) => events.push(event));
  return { source, events, close };
}

describe('initStream', () => {
  it('posts the request as JSON to /init-stream beside the page', async () => {
    const calls: [string, RequestInit | undefined][] = [];
    const fetch: Fetch = async (url, init) => {
      calls.push([url, init]);
      return Response.json({
        ok: true,
        streamUrl: 'http://localhost:8787/stream/a?access_token=t',
      });
    };
    await initStream(fetch, 'http://127.0.0.1:8787/gateway/', { ...REQUEST, model: 'echo' });
    const [url, init] = calls[0] ?? [];
    expect(url).toBe('http://127.0.0.1:8787/gateway/init-stream');
    expect(init?.method).toBe('POST');
    expect(JSON.parse(String(init?.body))).toEqual({ ...REQUEST, model: 'echo' });
  });

  it('keeps path and query of the streamUrl and drops its origin', async () => {
    const body = JSON.stringify({
      ok: true,
      streamUrl: 'https://gw.test/stream/a?access_token=t.u',
    });
    const opened = await initStream(answering(200, body), BASE_URL, REQUEST);
    expect(opened).toEqual({
      ok: true,
      value: { stream: '/stream/a?access_token=t.u', state: '/stream/a/state?access_token=t.u' },
    });
  });

  it('gives the code, the words and the request id of a refusal', async () => {
    const error = { code: 'validation_failed', message: 'No model is called x.', requestId: 'r1' };
    const opened = await initStream(answering(400, JSON.stringify({ error })), BASE_URL, REQUEST);
    expect(opened).toEqual({ ok: false, fault: error });
  });

  it('names the status when a refusal is no JSON', async () => {
    const opened = await initStream(answering(502, '<h1>Bad</h1>'), BASE_URL, REQUEST);
    expect(opened).toMatchObject({ ok: false, fault: { message: 'The gateway answered 502.' } });
  });

  it('says so when an answer holds no streamUrl', async () => {
    const opened = await initStream(answering(200, '{"ok":true}'), BASE_URL, REQUEST);
    expect(opened).toMatchObject({ ok: false, fault: { message: /no streamUrl/ } });
  });

  it('is unreachable when no answer comes', async () => {
    const fetch: Fetch = () => Promise.reject(new TypeError('fetch failed'));
    const opened = await initStream(fetch, BASE_URL, REQUEST);
    expect(opened).toMatchObject({ ok: false, fault: { code: 'unreachable' } });
  });
});

describe('initBody', () => {
  it('leaves empty optional fields out', () => {
    expect(JSON.parse(initBody({ ...REQUEST, n8nToken: '', model: '' }))).toEqual(REQUEST);
  });
});

describe('streamAddress', () => {
  it('puts /state before the query', () => {
    expect(streamAddress('/stream/a?access_token=t', BASE_URL).state).toBe(
      '/stream/a/state?access_token=t',
    );
  });
});

describe('readStream', () => {
  it('passes text on exactly as it came, blanks and newlines too', () => {
    const { source, events } = reading();
    source.message(' a\n\n b ');
    source.message('');
    expect(events).toEqual([
      { type: 'text', text: ' a\n\n b ' },
      { type: 'text', text: '' },
    ]);
  });

  it('closes at [DONE] and hears nothing after it', () => {
    const { source, events } = reading();
    source.message('a');
    source.message('[DONE]');
    source.message('b');
    source.drop(0);
    expect(events).toEqual([{ type: 'text', text: 'a' }, { type: 'done' }]);
    expect(source.closed).toBe(true);
  });

  it('takes only the whole data [DONE] for the end', () => {
    const { source, events } = reading();
    source.message('[DONE] ');
    expect(events).toEqual([{ type: 'text', text: '[DONE] ' }]);
  });

  it('reports a dropped connection as reconnecting and stays open', () => {
    const { source, events } = reading();
    source.open();
    source.drop(0);
    source.open();
    source.message('a');
    expect(events.map((event) => event.type)).toEqual(['open', 'reconnecting', 'open', 'text']);
    expect(source.closed).toBe(false);
  });

  it('reports a connection the browser gave up as refused', () => {
    const { source, events } = reading();
    source.drop(2);
    expect(events).toEqual([{ type: 'refused' }]);
  });

  it("tells the gateway's own error event from a dropped connection", () => {
    const { source, events } = reading();
    source.fault('{"code":"upstream_failed","message":"The model broke off."}');
    expect(events).toEqual([
      { type: 'fault', fault: { code: 'upstream_failed', message: 'The model broke off.' } },
    ]);
    expect(source.closed).toBe(true);
  });

  it('lets the browser return after an error event that only cut this connection', () => {
    const { source, events } = reading();
    source.message('a', 'e-1');
    source.fault('{"code":"unavailable","message":"Too slow."}', 'e-1');
    source.drop(0);
    source.message('b', 'e-2');
    expect(events.map((event) => event.type)).toEqual(['text', 'reconnecting', 'text']);
  });

  it('gives up when every return is cut again', () => {
    const { source, events } = reading();
    source.message('a', 'e-1');
    for (let cut = 0; cut < 3; cut += 1) source.fault('{"message":"Unreadable."}', 'e-1');
    expect(events.at(-1)).toMatchObject({ type: 'fault', fault: { message: 'Unreadable.' } });
  });

  it('STREAM-20: an error that only cut the connection is told from an end also after a restart', () => {
    const { source, events } = reading();
    source.message('a', '1-1');
    source.restart('2-1');
    source.fault('{"code":"unavailable","message":"Too slow."}', '2-1');
    source.message('b', '2-2');
    expect(events.map((event) => event.type)).toEqual(['text', 'restart', 'text']);
  });

  it('ends at an error event with an id of its own', () => {
    const { source, events } = reading();
    source.message('a', 'e-1');
    source.fault('{"code":"upstream_failed","message":"Broke off."}', 'e-2');
    expect(events.at(-1)).toMatchObject({ type: 'fault', fault: { message: 'Broke off.' } });
  });

  it('survives an error event whose data is no JSON', () => {
    const { source, events } = reading();
    source.fault('oops');
    expect(events).toMatchObject([{ type: 'fault', fault: { code: 'processing_failed' } }]);
  });

  it('closes early without a word', () => {
    const { source, events, close } = reading();
    close();
    source.message('a');
    expect(events).toEqual([]);
    expect(source.closed).toBe(true);
  });
});
