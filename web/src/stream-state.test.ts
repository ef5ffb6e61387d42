import { describe, expect, it } from 'vitest';
import { followState, LOOK_DELAYS_MS, parseState, type StreamState } from './stream-state.ts';
import type { Fetch, Result } from './wire.ts';

const ENDED = { status: 'completed', model: 'echo', provider: 'echo' };

function answeringInTurn(bodies: unknown[]): Fetch {
  let next = 0;
  return async () => Response.json(bodies[Math.min(next++, bodies.length - 1)]);
}

async function follow(fetch: Fetch, signal = new AbortController().signal) {
  const looks: Result<StreamState>[] = [];
  const waitsMs: number[] = [];
  const wait = async (delayMs: number) => {
    waitsMs.push(delayMs);
  };
  await followState('/stream/a/state', { fetch, wait, signal }, (look) => looks.push(look));
  return { looks, waitsMs };
}

describe('parseState', () => {
  it('reads usage, model, provider and callback', () => {
    const callback = { status: 'delivered', attempts: 1 };
    const usage = { inputTokens: 3, outputTokens: 0 };
    expect(parseState({ ...ENDED, usage, callback, text: 'hi' })).toEqual({
      ...ENDED,
      inputTokens: 3,
      outputTokens: 0,
      callback,
    });
  });

  it('takes fields of another shape for absent', () => {
    const body = { status: 'failed', usage: null, callback: { status: 'lost' }, model: 7 };
    expect(parseState(body)).toEqual({ status: 'failed' });
  });
});

describe('followState', () => {
  it('stops looking once the callback is delivered', async () => {
    const bodies = [
      { ...ENDED, callback: { status: 'pending', attempts: 0 } },
      { ...ENDED, callback: { status: 'delivered', attempts: 1 } },
    ];
    const { looks, waitsMs } = await follow(answeringInTurn(bodies));
    expect(looks).toHaveLength(2);
    expect(waitsMs).toEqual(LOOK_DELAYS_MS.slice(1, 2));
  });

  it('gives up looking after a bound while the callback stays pending', async () => {
    const body = { ...ENDED, callback: { status: 'pending', attempts: 4 } };
    const { looks } = await follow(answeringInTurn([body]));
    expect(looks).toHaveLength(LOOK_DELAYS_MS.length);
  });

  it('tells a fault once and ends there', async () => {
    const { looks } = await follow(async () => new Response('', { status: 404 }));
    expect(looks).toMatchObject([{ ok: false }]);
  });

  it('tells nothing after it was aborted', async () => {
    const { looks } = await follow(answeringInTurn([ENDED]), AbortSignal.abort());
    expect(looks).toEqual([]);
  });
});
