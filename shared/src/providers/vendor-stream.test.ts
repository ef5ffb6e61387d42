import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import type { ModelEvent } from './contract.ts';
import { type EventConverter, MAX_EVENT_LENGTH } from './event-converter.ts';
import { VendorUnreachableError } from './http-fault.ts';
import { createNdjsonDecoder } from './ndjson-body.ts';
import { createSseDecoder } from './sse-body.ts';
import { streamVendor, type VendorCall } from './vendor-stream.ts';

/** Every event is text; `END` ends. */
function plainConverter(): EventConverter {
  let isOver = false;
  return {
    vendor: 'Vendor',
    convert(data, batch) {
      if (data === 'END') isOver = true;
      else batch.push({ type: 'text', text: data });
    },
    ended: () => isOver,
    whole: () => isOver,
  };
}

function callFor(body: ReadableStream<Uint8Array> | null, silenceMs = 1000): VendorCall {
  return {
    vendor: 'Vendor',
    open: async () => new Response(body),
    decoder: createSseDecoder(plainConverter()),
    mapError: (cause) => new GatewayError('upstream_failed', 'mapped', { cause }),
    silenceMs,
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
    const gone = new VendorUnreachableError('upstream_failed', 'gone');
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

describe('silence', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('PROV-8: is counted while the vendor is waited for, not while the reader is busy', async () => {
    let push: (text: string) => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        push = (text) => controller.enqueue(encode(text));
      },
    });
    const stream = streamVendor(() => callFor(body, 1000), new AbortController().signal);
    const batches = stream[Symbol.asyncIterator]();
    push('data: a\n\n');
    await batches.next();
    await vi.advanceTimersByTimeAsync(5000);
    const second = batches.next();
    push('data: b\n\n');
    expect((await second).value).toEqual([{ type: 'text', text: 'b' }]);
    const third = expect(batches.next()).rejects.toMatchObject({ code: 'upstream_timeout' });
    await vi.advanceTimersByTimeAsync(2000);
    await third;
  });
});
