import { expect, test } from 'vitest';
import { parseHealth, waitForHealth } from './health.ts';

const BODY = {
  status: 'ok',
  host: 'edge',
  version: '0.1.0',
  defaultModel: 'echo',
  providers: {
    openai: { live: false, setting: 'OPENAI_API_KEY' },
    echo: { live: true, simulated: true },
  },
  engines: { ocr: { live: false, missing: 'No engine.' }, steps: { live: true } },
};
const never = new AbortController().signal;
const pause = (): Promise<void> => Promise.resolve();

test('a health report is read', () => {
  expect(parseHealth(BODY)).toEqual({
    version: '0.1.0',
    defaultModel: 'echo',
    providers: {
      openai: { live: false, simulated: false, setting: 'OPENAI_API_KEY' },
      echo: { live: true, simulated: true },
    },
    engines: { ocr: { live: false, missing: 'No engine.' }, steps: { live: true } },
  });
});

test('a health report without engines is one of an edge alone', () => {
  const { engines: _engines, ...body } = BODY;
  expect(parseHealth(body)?.engines).toEqual({});
});

test.each([
  ...[null, [], {}, { providers: [] }, { providers: { openai: {} } }],
  ...[
    { providers: {}, engines: [] },
    { providers: {}, engines: { ocr: {} } },
  ],
])('%j is no health report', (body) => {
  expect(parseHealth(body)).toBeUndefined();
});

test('it is asked again until it answers with a report', async () => {
  const answers = [
    () => Promise.reject(new Error('ECONNREFUSED')),
    async () => new Response('starting', { status: 503 }),
    async () => Response.json({ error: {} }, { status: 500 }),
    async () => Response.json(BODY),
  ];
  const asked: string[] = [];
  const health = await waitForHealth('edge', 'http://127.0.0.1:1', never, {
    fetch: (url) => {
      asked.push(String(url));
      return (answers.shift() ?? answers[0])?.() ?? Promise.reject(new Error('asked too often'));
    },
    pause,
  });
  expect(health.defaultModel).toBe('echo');
  expect(asked).toEqual(Array(4).fill('http://127.0.0.1:1/health'));
});

test('after 60 s the last answer is told', async () => {
  let nowMs = 0;
  const waiting = waitForHealth('edge', 'http://127.0.0.1:1', never, {
    fetch: async () => Response.json({ error: {} }, { status: 500 }),
    now: () => nowMs,
    pause: async () => {
      nowMs += 20_000;
    },
  });
  await expect(waiting).rejects.toThrow(
    'The edge was not ready after 60 s: http://127.0.0.1:1/health answered 500.',
  );
});

test('a stop ends the waiting', async () => {
  const stop = AbortSignal.abort();
  const waiting = waitForHealth('edge', 'http://127.0.0.1:1', stop, { pause });
  await expect(waiting).rejects.toThrow('aborted');
});
