/** The one read loop under every vendor: network reads in, batches of events out. */

import { GatewayError } from '../protocol/errors.ts';
import type { ModelEvent } from './contract.ts';
import { VendorUnreachableError } from './http-fault.ts';
import { watchSilence } from './silence-watch.ts';

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
  /** Longest wait for the first header or for the next byte, in milliseconds. */
  readonly silenceMs: number;
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
          stop.abort();
          return batches.return(undefined);
        },
      };
    },
  };
}

async function* readBatches(
  call: VendorCall,
  signal: AbortSignal,
  stop: AbortController,
): AsyncGenerator<readonly ModelEvent[], undefined, undefined> {
  if (signal.aborted || stop.signal.aborted) return;
  const { decoder } = call;
  const forward = () => stop.abort();
  signal.addEventListener('abort', forward, { once: true });
  const silence = watchSilence(call.silenceMs, forward);
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    silence.waiting();
    reader = bodyReader(await openCall(call, stop.signal), call.vendor);
    silence.heard();
    // A body that does not know the signal (an injected fetch) is cancelled here.
    const cancelOnStop = cancel.bind(undefined, reader);
    stop.signal.addEventListener('abort', cancelOnStop, { once: true });
    const utf8 = new TextDecoder();
    while (!stop.signal.aborted) {
      silence.waiting();
      const read = await reader.read();
      silence.heard();
      if (stop.signal.aborted) break;
      const batch: ModelEvent[] = [];
      const fault = decodeRead(
        decoder,
        read.done ? undefined : utf8.decode(read.value, { stream: true }),
        batch,
      );
      if (batch.length > 0) yield batch;
      if (fault) throw fault.thrown;
      if (read.done || decoder.ended) return;
    }
    if (silence.expired()) throw silent(call);
  } catch (thrown) {
    if (silence.expired()) throw silent(call);
    if (stop.signal.aborted) return;
    throw thrown instanceof GatewayError ? thrown : call.mapError(thrown);
  } finally {
    silence.stop();
    signal.removeEventListener('abort', forward);
    if (reader) void (decoder.ended ? drain(reader) : cancel(reader));
  }
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
    if (signal.aborted || !(error instanceof VendorUnreachableError)) throw error;
    return call.open(signal);
  }
}

function bodyReader(response: Response, vendor: string): ReadableStreamDefaultReader<Uint8Array> {
  if (response.body) return response.body.getReader();
  throw new GatewayError('upstream_failed', `${vendor} answered without a body.`);
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

function silent(call: VendorCall): GatewayError {
  const seconds = call.silenceMs / 1000;
  return new GatewayError('upstream_timeout', `${call.vendor} was silent for ${seconds} s.`);
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
