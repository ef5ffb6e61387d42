import { describe, expect, it } from 'vitest';
import { createFakeEventSource } from './fake-event-source.ts';
import { startScript } from './script-run.ts';
import type { Fetch } from './wire.ts';

const ACCEPTED = {
  generation_id: 'gen_1',
  stream_url: 'http://gateway.example/api/v1/generate/gen_1/events?access_token=t',
};
const REQUEST = { path: 'api/v1/generate', headers: { authorization: 'Bearer j' }, body: {} };
const OWN_URL = 'http://127.0.0.1/api/v1/generate/gen_1';

/** Lets everything that only waits for resolved promises run. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function start(look: object, accept = () => Response.json(ACCEPTED, { status: 202 })) {
  const source = createFakeEventSource();
  const shown: string[] = [];
  const calls: string[] = [];
  const fetch: Fetch = async (url, init) => {
    calls.push(`${init?.method ?? 'GET'} ${url}`);
    return init?.method === 'POST' ? accept() : Response.json(look);
  };
  const view = {
    phase: (phase: string) => void shown.push(phase),
    text: (text: string) => void shown.push(`text ${text}`),
    restart: () => void shown.push('restart'),
    fault: (fault: { message: string }) => void shown.push(`fault ${fault.message}`),
    state: (state: { model?: string }) => void shown.push(`state ${state.model}`),
    progress: (share: number, stage: string) => void shown.push(`${share} ${stage}`),
    wordCount: (words: number) => void shown.push(`${words} words`),
    warnings: (warnings: readonly string[]) => void shown.push(...warnings),
  };
  const openEventSource = (url: string) => {
    calls.push(`EVENTS ${url}`);
    return source;
  };
  const run = startScript(REQUEST, view, { fetch, openEventSource, baseUrl: 'http://127.0.0.1/' });
  return { run, source, shown, calls };
}

describe('startScript', () => {
  it('WEB-31: follows progress and text, then shows the words the gateway counted', async () => {
    const { source, shown, calls } = start({
      ...{ status: 'succeeded', model: 'echo', word_count: 206, warnings: ['Shorter.'] },
    });
    await settle();
    source.open();
    source.progress({ status: 'running', progress: 0.5, stage: 'Opening' }, '1-1');
    source.message('a', '1-2');
    source.message('[DONE]', '1-3');
    await settle();
    expect(calls).toEqual([
      `POST http://127.0.0.1/api/v1/generate`,
      'EVENTS /api/v1/generate/gen_1/events?access_token=t',
      `GET ${OWN_URL}`,
    ]);
    expect(shown).toEqual([
      ...['opening', 'waiting', '0.5 Opening', 'streaming', 'text a'],
      ...['state echo', 'Shorter.', '206 words', 'completed'],
    ]);
  });

  it('WEB-31: stops the writing and keeps what there is', async () => {
    const { run, source, shown, calls } = start({ status: 'canceled', word_count: 1 });
    await settle();
    source.message('a', '1-2');
    await run.stop();
    expect(source.closed).toBe(true);
    expect(calls.slice(2)).toEqual([`DELETE ${OWN_URL}`, `GET ${OWN_URL}`]);
    expect(shown.slice(-2)).toEqual(['1 words', 'stopped']);
    expect(shown).not.toContain('restart');
  });

  it('WEB-31: stops a script that was being accepted when it was told to', async () => {
    const { run, calls } = start({ status: 'canceled' });
    await run.stop();
    await settle();
    expect(calls).toContain(`DELETE ${OWN_URL}`);
    expect(calls.some((call) => call.startsWith('EVENTS'))).toBe(false);
  });

  it('WEB-13: says why a script was refused, and why one failed', async () => {
    const error = { code: 'validation_failed', message: 'No such template.' };
    const refused = start({}, () => Response.json({ error }, { status: 400 }));
    await settle();
    expect(refused.shown).toEqual(['opening', 'fault No such template.', 'failed']);

    const failed = start({ status: 'failed', error: { code: 'x', message: 'Nothing came.' } });
    await settle();
    failed.source.fault('{"code":"x","message":"Nothing came."}', '1-4');
    await settle();
    expect(failed.shown.filter((line) => line.startsWith('fault'))).toEqual([
      'fault Nothing came.',
    ]);
    expect(failed.shown.at(-1)).toBe('failed');
  });
});
