import { describe, expect, it } from 'vitest';
import { createFakeEventSource } from './fake-event-source.ts';
import { startRun } from './run.ts';
import type { Fetch } from './wire.ts';

const REQUEST = { prompt: 'Hi', resumeUrl: 'http://127.0.0.1/dev/callback' };
const DELIVERED = { status: 'delivered', attempts: 1 };

/** Lets everything that only waits for resolved promises run. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function start(overrides: { init?: () => Response; state?: () => Response } = {}) {
  const source = createFakeEventSource();
  const shown: string[] = [];
  const calls: string[] = [];
  const fetch: Fetch = async (url, init) => {
    calls.push(`${init?.method ?? 'GET'} ${url}`);
    if (url.endsWith('/init-stream')) {
      return overrides.init?.() ?? Response.json({ streamUrl: '/stream/a?access_token=t' });
    }
    if (init?.method === 'DELETE') return Response.json({});
    return overrides.state?.() ?? Response.json({ status: 'completed', callback: DELIVERED });
  };
  const view = {
    phase: (phase: string) => void shown.push(phase),
    text: (text: string) => void shown.push(`text ${text}`),
    restart: () => void shown.push('restart'),
    fault: (fault: { message: string }) => void shown.push(`fault ${fault.message}`),
    state: (state: { status: string }) => void shown.push(`state ${state.status}`),
  };
  const run = startRun(REQUEST, view, {
    fetch,
    openEventSource: () => source,
    wait: async () => {},
    baseUrl: 'http://127.0.0.1/',
  });
  return { run, source, shown, calls };
}

describe('startRun', () => {
  it('goes from opening over text to the state of the ended stream', async () => {
    const { source, shown } = start();
    await settle();
    source.open();
    source.message('a');
    source.message('[DONE]');
    await settle();
    expect(shown).toEqual([
      ...['opening', 'waiting', 'streaming', 'text a', 'completed'],
      ...['state completed', 'completed'],
    ]);
  });

  it('STREAM-20: drops the text when the answer begins again', async () => {
    const { source, shown } = start();
    await settle();
    source.open();
    source.message('a', '1-1');
    source.restart('2-1');
    source.message('b', '2-2');
    expect(shown.slice(-5)).toEqual(['text a', 'waiting', 'restart', 'streaming', 'text b']);
  });

  it('shows a refusal in the words of the gateway', async () => {
    const error = { code: 'validation_failed', message: 'No such model.' };
    const { shown } = start({ init: () => Response.json({ error }, { status: 400 }) });
    await settle();
    expect(shown).toEqual(['opening', 'fault No such model.', 'failed']);
  });

  it('goes back to streaming after a reconnect in the middle of an answer', async () => {
    const { source, shown } = start();
    await settle();
    source.message('a');
    source.drop(0);
    source.open();
    expect(shown.slice(-2)).toEqual(['reconnecting', 'streaming']);
  });

  it('takes a refused reconnect to a finished stream for its end', async () => {
    const { source, shown } = start();
    await settle();
    source.message('a');
    source.drop(2);
    await settle();
    expect(shown.slice(-2)).toEqual(['state completed', 'completed']);
  });

  it('says why a stream was refused when its state cannot be read either', async () => {
    const error = { code: 'expired', message: 'Nobody came in time.' };
    const { source, shown } = start({ state: () => Response.json({ error }, { status: 410 }) });
    await settle();
    source.drop(2);
    await settle();
    expect(shown.slice(-2)).toEqual(['fault Nobody came in time.', 'failed']);
  });

  it('stops by DELETE on the same address, closes, and shows what became of it', async () => {
    const state = () => Response.json({ status: 'cancelled', callback: DELIVERED });
    const { run, source, shown, calls } = start({ state });
    await settle();
    source.message('a');
    await run.stop();
    source.message('b');
    expect(source.closed).toBe(true);
    expect(calls).toContain('DELETE /stream/a?access_token=t');
    expect(shown.slice(-4)).toEqual(['text a', 'stopped', 'state cancelled', 'stopped']);
  });

  it('stops a stream that was still opening as soon as its address is known', async () => {
    const { run, source, calls } = start();
    await run.stop();
    await settle();
    expect(calls).toContain('DELETE /stream/a?access_token=t');
    expect(source.readyState).toBe(0);
  });

  it('tells nothing after it was abandoned', async () => {
    const { run, source, shown } = start();
    await settle();
    run.abandon();
    source.message('a');
    await settle();
    expect(shown).toEqual(['opening']);
  });
});
