import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it, vi } from 'vitest';
import { stoppedBy, withOwnSignal } from './own-signal.ts';

/** A vendor that never answers, and the signals it was asked with. */
function createSilentFetch() {
  const signals: (AbortSignal | null | undefined)[] = [];
  const fetch = withOwnSignal(async (_input, init) => {
    signals.push(init?.signal);
    return new Promise<Response>((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
  });
  return { signals, fetch };
}

const message = { role: 'user', content: 'Hi' } as const;

const asks = {
  OpenAI: (fetch: typeof globalThis.fetch, stop: AbortSignal) =>
    new OpenAI({ apiKey: 'k', maxRetries: 0, fetch }).chat.completions
      .create({ model: 'm', messages: [message], stream: true }, stoppedBy(stop))
      .asResponse(),
  Anthropic: (fetch: typeof globalThis.fetch, stop: AbortSignal) =>
    new Anthropic({ apiKey: 'k', maxRetries: 0, fetch }).messages
      .create({ model: 'm', max_tokens: 1, messages: [message], stream: true }, stoppedBy(stop))
      .asResponse(),
};

describe.each(Object.entries(asks))("%s's SDK", (_name, ask) => {
  it('PROV-31: the request has the signal itself, and ends when it aborts', async () => {
    const { signals, fetch } = createSilentFetch();
    const stop = new AbortController();
    const asked = ask(fetch, stop.signal);
    asked.catch(() => undefined);
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    expect(signals[0]).toBe(stop.signal);
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow();
  });

  it('PROV-31: nothing ties the signal to a weak reference', async () => {
    const registered = vi.spyOn(FinalizationRegistry.prototype, 'register');
    const composed = vi.spyOn(AbortSignal, 'any');
    try {
      const { signals, fetch } = createSilentFetch();
      const stop = new AbortController();
      const asked = ask(fetch, stop.signal);
      asked.catch(() => undefined);
      await vi.waitFor(() => expect(signals).toHaveLength(1));
      expect(registered).not.toHaveBeenCalled();
      expect(composed).not.toHaveBeenCalled();
      stop.abort();
    } finally {
      registered.mockRestore();
      composed.mockRestore();
    }
  });
});

it('PROV-31: a request without one keeps what the SDK gives it', async () => {
  const seen: RequestInit[] = [];
  const fetch = withOwnSignal(async (_input, init = {}) => {
    seen.push(init);
    return new Response('{}');
  });
  const { signal } = new AbortController();
  await fetch('https://vendor.example/', { method: 'POST', signal });
  expect(seen).toEqual([{ method: 'POST', signal }]);
});
