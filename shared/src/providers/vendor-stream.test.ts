import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import type { VendorTimeouts } from '../protocol/upstream-settings.ts';
import type { ModelEvent } from './contract.ts';
import { type EventConverter, MAX_EVENT_LENGTH } from './event-converter.ts';
import { createNdjsonDecoder } from './ndjson-body.ts';
import { createSseDecoder } from './sse-body.ts';
import { VendorError } from './vendor-error.ts';
import { streamVendor, type VendorCall } from './vendor-stream.ts';

/** Every event is text, but `USAGE`; `END` ends. */
function plainConverter(): EventConverter {
  let isOver = false;
  return {
    vendor: 'Vendor',
    convert(data, batch) {
      if (data === 'END') isOver = true;
      else if (data === 'USAGE') batch.push({ type: 'usage', inputTokens: 1 });
      else batch.push({ type: 'text', text: data });
    },
    ended: () => isOver,
    whole: () => isOver,
  };
}

const TIMEOUTS: VendorTimeouts = {
  connectMs: 2000,
  firstTokenMs: 3000,
  idleMs: 1000,
  totalMs: 20_000,
};

function callFor(body: ReadableStream<Uint8Array> | null): VendorCall {
  return {
    vendor: 'Vendor',
    open: async () => new Response(body),
    decoder: createSseDecoder(plainConverter()),
    mapError: (cause) => new GatewayError('upstream_failed', 'mapped', { cause }),
    timeouts: TIMEOUTS,
  };
}

const encode = (text: string) => new TextEncoder().encode(text);
const bodyOf = (...reads: string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const read of reads) controller.enqueue(encode(read));
      controller.close();
    },
  });

describe('a vendor stream', () => {
  it('PROV-2: yields one batch a read, and none for a read that completes no event', async () => {
    const body = bodyOf('data: a\n\ndata: b\n\n', 'data: c', '\n\n', 'data: END\n\n');
    const batches: (readonly ModelEvent[])[] = [];
    const signal = new AbortController().signal;
    for await (const batch of streamVendor(() => callFor(body), signal)) batches.push(batch);
    expect(batches.map((batch) => batch.length)).toEqual([2, 1]);
  });

  it('PROV-6: says when a vendor answers without a body', async () => {
    const batches = streamVendor(() => callFor(null), new AbortController().signal);
    await expect(batches[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'upstream_failed',
    });
  });

  it('PROV-20: sends a request that got no answer a second time, and no third time', async () => {
    const gone = new VendorError('unreachable', 'upstream_failed', 'gone');
    const attempts = async (failures: number, error: GatewayError) => {
      let sent = 0;
      const call: VendorCall = {
        ...callFor(bodyOf('data: a\n\ndata: END\n\n')),
        mapError: () => error,
      };
      const open = async () => {
        sent += 1;
        if (sent <= failures) throw new TypeError('reset');
        return call.open(new AbortController().signal);
      };
      const stream = streamVendor(() => ({ ...call, open }), new AbortController().signal);
      const first = stream[Symbol.asyncIterator]().next();
      return {
        outcome: await first.then(
          () => 'answer',
          () => 'error',
        ),
        sent,
      };
    };
    expect(await attempts(1, gone)).toEqual({ outcome: 'answer', sent: 2 });
    expect(await attempts(2, gone)).toEqual({ outcome: 'error', sent: 2 });
    const refused = new GatewayError('upstream_failed', 'the vendor said 500');
    expect(await attempts(1, refused)).toEqual({ outcome: 'error', sent: 1 });
  });

  it('PROV-9: reads the body to its close after the end marker, so that the connection is kept', async () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => controller.enqueue(encode('data: END\n\n')),
        pull: (controller) => controller.close(),
        cancel: () => {
          isCancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const signal = new AbortController().signal;
    for await (const batch of streamVendor(() => callFor(body), signal)) expect(batch).toBeNull();
    await expect.poll(() => body.locked && !isCancelled).toBe(true);
  });
});

describe('the bound on one event', () => {
  const long = 'x'.repeat(MAX_EVENT_LENGTH);

  it.each([
    ['SSE in one read', createSseDecoder, [`data: ${long}x\n\n`]],
    ['SSE in many reads', createSseDecoder, [`data: ${long}`, 'xxxxxxxxxxxxx', 'x\n\n']],
    ['NDJSON in one read', createNdjsonDecoder, [`${long}x\n`]],
    ['NDJSON in many reads', createNdjsonDecoder, [long, 'x', 'x\n']],
  ] as const)('PROV-15: is 1 MiB (%s)', (_, create, reads) => {
    const decoder = create(plainConverter());
    const feedAll = () => {
      for (const read of reads) decoder.feed(read, []);
    };
    expect(feedAll).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
  });
});

describe('deadlines', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A vendor that says what a test pushes. */
  function openStream(open?: VendorCall['open']) {
    let push: (text: string) => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        push = (text) => controller.enqueue(encode(text));
      },
    });
    const call = callFor(body);
    const stop = new AbortController();
    const stream = streamVendor(() => (open ? { ...call, open } : call), stop.signal);
    return { batches: stream[Symbol.asyncIterator](), push, stop };
  }

  const failing = (promise: Promise<unknown>, words: string) =>
    expect(promise).rejects.toMatchObject({
      code: 'upstream_timeout',
      message: expect.stringContaining(words),
    });

  it('PROV-8: without headers, the one to connect passes first', async () => {
    const { batches } = openStream(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    );
    const first = failing(batches.next(), 'no headers within 2 s');
    await vi.advanceTimersByTimeAsync(1999);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await first;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('PROV-8: before the first byte, silence is bounded by the first token alone', async () => {
    const { batches } = openStream();
    const first = failing(batches.next(), 'said nothing within 3 s');
    await vi.advanceTimersByTimeAsync(2999);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await first;
  });

  it('PROV-8: the first token is awaited from the request on, not from the headers', async () => {
    const { batches } = openStream(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1900));
      return new Response(new ReadableStream());
    });
    const first = failing(batches.next(), 'said nothing within 3 s');
    await vi.advanceTimersByTimeAsync(3000);
    expect(vi.getTimerCount()).toBe(0);
    await first;
  });

  it('PROV-8: a reader that is busy before the first token has its own time', async () => {
    const { batches, push } = openStream();
    push('data: USAGE\n\n');
    await batches.next();
    await vi.advanceTimersByTimeAsync(5000);
    const second = batches.next();
    for (let ms = 0; ms < 2500; ms += 500) {
      push(': still here\n\n');
      await vi.advanceTimersByTimeAsync(500);
    }
    push('data: a\n\n');
    expect((await second).value).toEqual([{ type: 'text', text: 'a' }]);
    await batches.return?.();
  });

  it('PROV-8: bytes that are no token do not put off the first token', async () => {
    const { batches, push } = openStream();
    const first = failing(batches.next(), 'said nothing within 3 s');
    for (let ms = 0; ms < 3000; ms += 500) {
      push(': still here\n\n');
      await vi.advanceTimersByTimeAsync(500);
    }
    await first;
  });

  it('PROV-8: idle time is the vendor’s, not the time in which the reader is busy', async () => {
    const { batches, push } = openStream();
    push('data: a\n\n');
    await batches.next();
    await vi.advanceTimersByTimeAsync(5000);
    const second = batches.next();
    push('data: b\n\n');
    expect((await second).value).toEqual([{ type: 'text', text: 'b' }]);
    const third = failing(batches.next(), 'fell silent for 1 s');
    await vi.advanceTimersByTimeAsync(2000);
    await third;
  });

  it('PROV-8: idle time before the first token counts from the last byte', async () => {
    const { batches, push } = openStream();
    const first = failing(batches.next(), 'fell silent for 1 s');
    push(': a comment\n\n');
    await vi.advanceTimersByTimeAsync(1001);
    await first;
  });

  it('PROV-8: the whole answer is bounded, also while it flows', async () => {
    const { batches, push } = openStream();
    const read = async () => {
      for (let next = await batches.next(); !next.done; ) next = await batches.next();
    };
    const whole = failing(read(), 'longer than 20 s');
    for (let ms = 0; ms < 20_000; ms += 500) {
      push('data: a\n\n');
      await vi.advanceTimersByTimeAsync(500);
    }
    await whole;
  });

  it.each(['the end', 'a fault', 'an abort', 'a return'])(
    'PROV-8: no timer is left after %s',
    async (what) => {
      const { batches, push, stop } = openStream();
      push('data: a\n\n');
      await batches.next();
      expect(vi.getTimerCount()).toBe(1);
      const last = batches.next().catch(() => undefined);
      if (what === 'the end') push('data: END\n\n');
      if (what === 'a fault') push(`data: ${'x'.repeat(MAX_EVENT_LENGTH + 1)}\n\n`);
      if (what === 'an abort') stop.abort();
      if (what === 'a return') await batches.return?.();
      await last;
      // The drain of a finished body gives up after a second.
      await vi.advanceTimersByTimeAsync(what === 'the end' ? 1000 : 0);
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});
