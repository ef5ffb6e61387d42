import { describe, expect, it } from 'vitest';
import { startAnswer } from './answer-run.ts';
import type { Fetch } from './wire.ts';

const STREAM_URL = 'http://gateway.example/ai/stream/s1?format=json&access_token=t';
const REQUEST = {
  path: 'ai/chat',
  headers: { authorization: 'Bearer j' },
  body: { message: 'Hi' },
};
const DONE = { type: 'done', status: 'completed', finishReason: 'stop' };

const note = { type: 'note', name: 'chat', data: { session_id: 'chat_1' } };
const delta = (text: string) => ({ type: 'delta', text });

/** Lets everything that only waits for resolved promises run. */
const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

/** Events numbered from `first` on; `breaks` ends the body as a lost connection does. */
function bodyOf(events: readonly object[], first = 1, breaks = false): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      events.forEach((event, at) => {
        const frame = `id: 1-${first + at}\ndata: ${JSON.stringify(event)}\n\n`;
        controller.enqueue(encoder.encode(frame));
      });
      if (!breaks) controller.close();
    },
    pull(controller) {
      if (breaks) controller.error(new TypeError('network error'));
    },
  });
  return new Response(body, { headers: { 'x-stream-url': STREAM_URL } });
}

/** Answers the POST and then each GET with the next of `bodies`. */
function start(...bodies: (() => Response)[]) {
  const shown: string[] = [];
  const calls: string[] = [];
  const waitsMs: number[] = [];
  const sent: (RequestInit | undefined)[] = [];
  const fetch: Fetch = async (url, init) => {
    calls.push(`${init?.method ?? 'GET'} ${url}`);
    sent.push(init);
    if (url.includes('/state')) return Response.json({ status: 'completed', model: 'echo' });
    if (init?.method === 'DELETE') return Response.json({});
    const next = bodies.shift();
    if (next === undefined) throw new TypeError('Failed to fetch');
    return next();
  };
  const view = {
    phase: (phase: string) => void shown.push(phase),
    text: (text: string) => void shown.push(`text ${text}`),
    restart: () => void shown.push('restart'),
    fault: (fault: { message: string }) => void shown.push(`fault ${fault.message}`),
    state: (state: { model?: string }) => void shown.push(`state ${state.model}`),
    note: (name: string, data: unknown) => void shown.push(`${name} ${JSON.stringify(data)}`),
  };
  const run = startAnswer(REQUEST, view, {
    fetch,
    wait: async (delayMs) => void waitsMs.push(delayMs),
    baseUrl: 'http://127.0.0.1/',
  });
  return { run, shown, calls, sent, waitsMs };
}

describe('startAnswer', () => {
  it('WEB-11: posts with the caller’s headers and shows note, text and state', async () => {
    const { shown, calls, sent } = start(() => bodyOf([note, delta('a'), delta('b'), DONE]));
    await settle();
    expect(shown).toEqual([
      ...['opening', 'waiting', 'chat {"session_id":"chat_1"}'],
      ...['streaming', 'text a', 'streaming', 'text b', 'completed', 'state echo'],
    ]);
    expect(calls).toEqual([
      'POST http://127.0.0.1/ai/chat',
      'GET /ai/stream/s1/state?format=json&access_token=t',
    ]);
    expect(sent[0]?.headers).toMatchObject({ authorization: 'Bearer j' });
    expect(JSON.parse(String(sent[0]?.body))).toEqual({ message: 'Hi', stream: true });
  });

  it.each([
    ['ends early', false],
    ['breaks', true],
  ])('WEB-12: goes on after the last event when the connection %s', async (_how, breaks) => {
    const { shown, calls, waitsMs } = start(
      () => bodyOf([note, delta('a')], 1, breaks),
      () => {
        throw new TypeError('Failed to fetch');
      },
      () => bodyOf([delta('b'), DONE], 3),
    );
    await settle();
    expect(shown.filter((line) => line.startsWith('text'))).toEqual(['text a', 'text b']);
    expect(shown).toContain('reconnecting');
    expect(shown.slice(-2)).toEqual(['completed', 'state echo']);
    const resumed = 'GET /ai/stream/s1?format=json&access_token=t&last_event_id=1-2';
    expect(calls.slice(1, 3)).toEqual([resumed, resumed]);
    expect(waitsMs).toEqual([1_000, 1_000]);
  });

  it('WEB-12: waits for a gateway that starts again, and says when the rest is gone', async () => {
    const gone = { code: 'expired', message: 'This stream is gone.' };
    const { shown, waitsMs } = start(
      () => bodyOf([delta('a')]),
      () => Response.json({}, { status: 503 }),
      () => Response.json({ error: gone }, { status: 410 }),
    );
    await settle();
    expect(waitsMs).toHaveLength(2);
    expect(shown.slice(-3)).toEqual(['fault This stream is gone.', 'failed', 'state echo']);
  });

  it('WEB-12: counts cuts anew once the answer has gone on', async () => {
    const pieces = Array.from({ length: 8 }, (_, at) => () => bodyOf([delta('a')], at + 1));
    const { shown } = start(...pieces, () => bodyOf([DONE], 9));
    await settle();
    expect(shown.filter((line) => line === 'text a')).toHaveLength(8);
    expect(shown.slice(-2)).toEqual(['completed', 'state echo']);
  });

  it('WEB-12: gives up after five cuts without an event, and says so', async () => {
    const { shown, waitsMs } = start(() => bodyOf([delta('a')]));
    await settle();
    expect(waitsMs).toHaveLength(5);
    expect(shown.slice(-2)).toEqual([
      'fault The connection was lost, and the answer could not be gone on with.',
      'failed',
    ]);
  });

  it('WEB-11: drops the text when the answer begins again', async () => {
    const restart = { type: 'restart', reason: 'upstream_failed', model: 'echo' };
    const { shown } = start(() => bodyOf([delta('a'), restart, delta('b'), DONE]));
    await settle();
    expect(shown).toContain('restart');
    expect(shown.slice(-3)).toEqual(['text b', 'completed', 'state echo']);
  });

  it('WEB-13: shows a refusal in the gateway’s words, with its fields', async () => {
    const error = {
      code: 'validation_failed',
      message: 'The request has faults in: message.',
      details: { fields: [{ path: 'message', message: 'Too short.' }] },
    };
    const { shown } = start(() => Response.json({ error }, { status: 400 }));
    await settle();
    expect(shown).toEqual(['opening', 'fault The request has faults in: message.', 'failed']);
  });

  it('WEB-13: shows what an answer failed with', async () => {
    const fault = { type: 'error', code: 'upstream_failed', message: 'The model broke off.' };
    const { shown } = start(() => bodyOf([delta('a'), fault]));
    await settle();
    expect(shown.slice(-3)).toEqual(['fault The model broke off.', 'failed', 'state echo']);
  });

  it('WEB-14: stops the model, also where it is asked to before the stream is there', async () => {
    const { run, shown, calls } = start(() => bodyOf([delta('a')]));
    await run.stop();
    await settle();
    expect(calls).toContain('DELETE /ai/stream/s1?format=json&access_token=t');
    expect(shown).toEqual(['opening', 'stopped', 'state echo']);
  });

  it('WEB-14: stops the model while it writes, and reads no further', async () => {
    const { run, shown, calls } = start(() => {
      const body = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
      return new Response(body, { headers: { 'x-stream-url': STREAM_URL } });
    });
    await settle();
    await run.stop();
    expect(calls).toContain('DELETE /ai/stream/s1?format=json&access_token=t');
    expect(shown).toEqual(['opening', 'waiting', 'stopped', 'state echo']);
  });

  it('WEB-14: tells nothing once it was abandoned', async () => {
    const { run, shown } = start(() => bodyOf([delta('a'), DONE]));
    run.abandon();
    await settle();
    expect(shown).toEqual(['opening']);
  });
});
