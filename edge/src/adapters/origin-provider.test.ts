import type { VendorTimeouts } from '@headwater/shared/protocol/upstream-settings';
import type { ModelEvent, ModelRequest } from '@headwater/shared/providers/contract';
import { failureKindOf } from '@headwater/shared/providers/vendor-error';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createOriginProvider } from './origin-provider.ts';

const REQUEST: ModelRequest = {
  model: 'llama',
  messages: [{ role: 'user', content: 'hi' }],
  maxTokens: 9,
};

afterEach(() => {
  vi.restoreAllMocks();
});

/** Answers as an origin, in the given pieces. */
const body = (...pieces: string[]): Response => {
  const encoder = new TextEncoder();
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(encoder.encode(piece));
        controller.close();
      },
    }),
  );
};

async function read(
  originUrls = ['https://one.example'],
  timeouts?: VendorTimeouts,
): Promise<ModelEvent[]> {
  const provider = createOriginProvider({ name: 'ollama', originUrls, apiKey: 'k', timeouts });
  const events: ModelEvent[] = [];
  for await (const batch of provider.stream(REQUEST, new AbortController().signal)) {
    events.push(...batch);
  }
  return events;
}

describe('a vendor behind the origin', () => {
  it('HOST-5: its lines are its events, wherever the network cuts them', async () => {
    const fetched = vi
      .spyOn(globalThis, 'fetch')
      .mockResolvedValue(
        body(
          '{"events":[{"type":"te',
          'xt","text":"a"}]}\n{"events":[{"type":"finish","rea',
          'son":"stop"}]}\n{"end":true}\n',
        ),
      );
    expect(await read()).toEqual([
      { type: 'text', text: 'a' },
      { type: 'finish', reason: 'stop' },
    ]);
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(String(url)).toBe('https://one.example/internal/model-stream');
    expect(init?.headers).toMatchObject({ 'x-api-key': 'k' });
    expect(JSON.parse(String(init?.body))).toEqual(REQUEST);
  });

  it('STREAM-11: an answer without its end line is a failure, and so is a malformed one', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch');
    fetched.mockResolvedValue(body('{"events":[{"type":"text","text":"a"}]}\n'));
    await expect(read()).rejects.toMatchObject({ code: 'upstream_failed' });
    fetched.mockResolvedValue(body('<html>\n'));
    await expect(read()).rejects.toMatchObject({ code: 'upstream_failed' });
  });

  it('an error line is thrown with its own code', async () => {
    const error = { code: 'upstream_timeout', message: 'Silent.' };
    vi.spyOn(globalThis, 'fetch').mockResolvedValue(body(`${JSON.stringify({ error })}\n`));
    await expect(read()).rejects.toMatchObject(error);
  });

  it('PROV-8: an origin that keeps silent is `upstream_timeout`, and its request is stopped', async () => {
    let isStopped = false;
    const silent = new ReadableStream({
      cancel: () => {
        isStopped = true;
      },
    });
    vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(silent));
    const timeouts = { connectMs: 5000, firstTokenMs: 30, idleMs: 5000, totalMs: 5000 };
    await expect(read(undefined, timeouts)).rejects.toMatchObject({
      code: 'upstream_timeout',
      message: 'The origin said nothing within 0.03 s of the request.',
    });
    expect(isStopped).toBe(true);
  });

  it('PROV-23: an origin that is gone counts, and what it relays does not', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('no route'));
    const gone = await read().catch((thrown: unknown) => thrown);
    expect(failureKindOf(gone)).toBe('unreachable');
    const error = { code: 'upstream_failed', message: 'Ollama failed.' };
    fetched.mockResolvedValue(body(`${JSON.stringify({ error })}\n`));
    const relayed = await read().catch((thrown: unknown) => thrown);
    expect(relayed).toMatchObject(error);
    expect(failureKindOf(relayed)).toBeUndefined();
  });

  it('the next origin is asked where one cannot be reached', async () => {
    const fetched = vi
      .spyOn(globalThis, 'fetch')
      .mockRejectedValueOnce(new TypeError('no route'))
      .mockResolvedValue(body('{"end":true}\n'));
    expect(await read(['https://one.example', 'https://two.example'])).toEqual([]);
    expect(String(fetched.mock.calls[1]?.[0])).toContain('two.example');
  });

  it('no origin at all is `unavailable`, and refusals say what to set', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('no route'));
    await expect(read()).rejects.toMatchObject({ code: 'unavailable' });
    for (const [status, code] of [
      [401, 'unavailable'],
      [400, 'validation_failed'],
      [503, 'unavailable'],
      [500, 'upstream_failed'],
    ] as const) {
      fetched.mockResolvedValue(new Response('secret words', { status }));
      const refused = await read().catch((thrown: unknown) => thrown);
      expect(refused).toMatchObject({ code });
      expect(String(refused)).not.toContain('secret words');
    }
  });
});
