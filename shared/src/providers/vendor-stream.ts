/** The one read loop under every vendor: network reads in, batches of events out. */

import { GatewayError } from '../protocol/errors.ts';
import type { VendorTimeouts } from '../protocol/upstream-settings.ts';
import type { ModelEvent } from './contract.ts';
import { type Deadline, watchDeadlines } from './deadlines.ts';
import { answeredNothing } from './event-converter.ts';
import { type FailureKind, failureKindOf, VendorError } from './vendor-error.ts';

/** Turns a vendor's body text into events; sse-body.ts and ndjson-body.ts make them. */
export interface BodyDecoder {
  /** Appends what `text` completes to `batch`; throws GatewayError at a fault, after appending what came before it. */
  feed(text: string, batch: ModelEvent[]): void;
  /** The body is over: appends what is left, throws `upstream_failed` where the answer is not whole. */
  end(batch: ModelEvent[]): void;
  /** True once the vendor said that nothing more comes; the rest of the body is not read. */
  readonly ended: boolean;
}

/** One request to a vendor. */
export interface VendorCall {
  /** Shown in messages: `OpenAI`. */
  readonly vendor: string;
  /** Sends the request; rejects with the vendor's own error. MUST stop when the signal aborts. */
  open(signal: AbortSignal): Promise<Response>;
  readonly decoder: BodyDecoder;
  /** Maps what `open` or the body threw; a GatewayError is never given to it. */
  mapError(thrown: unknown): GatewayError;
  readonly timeouts: VendorTimeouts;
}

/** How long a finished body may take to close before its connection is given up, in milliseconds. */
const DRAIN_MS = 1000;

/**
 * Sends the call at the first `next()` and yields one batch for each network read that completes an
 * event. Ends quietly when `signal` aborts or `return()` is called, also in the middle of a read:
 * a generator alone would queue `return()` behind that read.
 */
export function streamVendor(
  createCall: () => VendorCall,
  signal: AbortSignal,
): AsyncIterable<readonly ModelEvent[]> {
  return {
    [Symbol.asyncIterator]() {
      const stop = new AbortController();
      const batches = readBatches(createCall(), signal, stop);
      return {
        next: () => batches.next(),
        return: () => {
          stop.abort(STOPPED);
          return batches.return(undefined);
        },
      };
    },
  };
}

/** Why a request is stopped; not the default reason, which is an exception with a stack each time. */
const STOPPED = new Error('The answer is not needed any more.');

async function* readBatches(
  call: VendorCall,
  signal: AbortSignal,
  stop: AbortController,
): AsyncGenerator<readonly ModelEvent[], undefined, undefined> {
  if (signal.aborted || stop.signal.aborted) return;
  const { decoder } = call;
  const forward = () => stop.abort(STOPPED);
  signal.addEventListener('abort', forward, { once: true });
  const watch = watchDeadlines(call.timeouts, forward);
  let hasSpoken = false;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    reader = bodyReader(await openCall(call, stop.signal), call.vendor);
    watch.connected();
    // A body that does not know the signal (an injected fetch) is cancelled here.
    stop.signal.addEventListener('abort', cancelOnStop);
    const utf8 = new TextDecoder();
    while (!stop.signal.aborted) {
      watch.waiting();
      const read = await reader.read();
      watch.heard();
      if (stop.signal.aborted) break;
      const batch: ModelEvent[] = [];
      let fault = decodeRead(
        decoder,
        read.done ? undefined : utf8.decode(read.value, { stream: true }),
        batch,
      );
      if (!hasSpoken && batch.length > 0) {
        const first = findFirstWord(batch);
        if (first === 'content') {
          hasSpoken = true;
          watch.spoke();
        } else if (first !== undefined) {
          batch.length = first;
          fault = { thrown: answeredNothing(call.vendor) };
        }
      }
      if (batch.length > 0) yield batch;
      if (fault) throw fault.thrown;
      if (read.done || decoder.ended) return;
    }
    throwIfExpired();
  } catch (thrown) {
    throwIfExpired();
    if (stop.signal.aborted) return;
    throw thrown instanceof GatewayError ? thrown : call.mapError(thrown);
  } finally {
    watch.stop();
    signal.removeEventListener('abort', forward);
    // OpenAI's SDK leaves behind what it was given until the next full garbage collection: the signal
    // must not hold the stream as long.
    stop.signal.removeEventListener('abort', cancelOnStop);
    if (reader) void (decoder.ended ? drain(reader) : cancel(reader));
  }

  /** No promise: workerd warns of a listener that returns one. */
  function cancelOnStop(): void {
    if (reader) void cancel(reader);
  }

  function throwIfExpired(): void {
    const deadline = watch.expired();
    if (deadline) throw tooLate(call, deadline);
  }
}

/**
 * What a batch begins with, while nothing has been said: `content`, or the place of a finish that
 * calls an answer of nothing complete. A bound or a filter may well leave nothing to say.
 */
function findFirstWord(batch: readonly ModelEvent[]): 'content' | number | undefined {
  for (const [index, event] of batch.entries()) {
    if (event.type === 'text' || event.type === 'tool_call') return 'content';
    if (event.type === 'finish' && event.reason === 'stop') return index;
  }
  return undefined;
}

/**
 * Opens the call; a second time, at once, where no byte of an answer came. Vendors close idle
 * connections without notice, and a request that is sent into the closing fails that way.
 */
async function openCall(call: VendorCall, signal: AbortSignal): Promise<Response> {
  try {
    return await call.open(signal);
  } catch (thrown) {
    const error = thrown instanceof GatewayError ? thrown : call.mapError(thrown);
    if (signal.aborted || failureKindOf(error) !== 'unreachable') throw error;
    return call.open(signal);
  }
}

function bodyReader(response: Response, vendor: string): ReadableStreamDefaultReader<Uint8Array> {
  if (response.body) return response.body.getReader();
  throw new VendorError('cut', 'upstream_failed', `${vendor} answered without a body.`);
}

/** A fault is returned, not thrown, so that the text in front of it is delivered first. */
function decodeRead(
  decoder: BodyDecoder,
  text: string | undefined,
  batch: ModelEvent[],
): { thrown: unknown } | undefined {
  try {
    if (text === undefined) decoder.end(batch);
    else decoder.feed(text, batch);
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}

function tooLate({ vendor, timeouts }: VendorCall, deadline: Deadline): VendorError {
  const seconds = timeouts[`${deadline}Ms`] / 1000;
  switch (deadline) {
    case 'connect':
      return late('connect_timeout', `${vendor} sent no headers within ${seconds} s.`);
    case 'firstToken':
      return late('silence', `${vendor} said nothing within ${seconds} s of the request.`);
    case 'idle':
      return late('silence', `${vendor} fell silent for ${seconds} s.`);
    case 'total':
      return late('overlong', `${vendor}'s answer took longer than ${seconds} s.`);
  }
}

function late(kind: FailureKind, message: string): VendorError {
  return new VendorError(kind, 'upstream_timeout', message);
}

async function cancel(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  await reader.cancel().catch(() => {
    // The body failed already: there is nothing left to stop.
  });
}

/** Reads the few bytes after the end marker, so that the connection can serve the next request. */
async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const timer = setTimeout(() => void cancel(reader), DRAIN_MS);
  try {
    while (!(await reader.read()).done) {
      // What follows the end marker has no meaning.
    }
  } catch {
    // The answer is whole already; only the connection's reuse is lost.
  } finally {
    clearTimeout(timer);
  }
}
