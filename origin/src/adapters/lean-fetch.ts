/**
 * `fetch` on undici's dispatcher, for the vendors' SDKs and for callbacks. The platform's own spends
 * more on web streams and on the spec's bookkeeping than a gateway spends on the rest of a token.
 */

import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';

/** Bytes that wait for their reader before the socket is paused. */
const HIGH_WATER_BYTES = 256 * 1024;

/** Longest wait for a connection, in ms; the callers' own time limits cover all that follows. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Why a body is not read on; made once, as an exception's stack costs more than the rest. */
const CANCELLED = new DOMException('The body was cancelled.', 'AbortError');

/** Responses without a body, which the platform's constructor refuses to give one. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

const DEFAULT_AGENT = createLeanAgent();

type Read = { readonly done: boolean; readonly value: Uint8Array | undefined };

/** What arrives on one response, until somebody reads it. */
interface Inbox {
  read(): Promise<Read>;
  push(chunk: Buffer): void;
  /** With an error, reads fail once what came before it has been read. */
  end(error?: Error): void;
}

/** A fetch that takes a URL, a method, headers, a text body and a signal. */
export type LeanFetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** An agent whose time limits are its callers'; `connect` goes to the connections. */
export function createLeanAgent(connect: { readonly lookup?: LookupFunction } = {}): Agent {
  return new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS, ...connect },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/**
 * Makes the fetch. Its responses are the platform's, but for their body: a reader whose `read` gives
 * everything that has come since the last one, joined. Redirects are not followed: neither a key
 * nor a callback must go anywhere but where it was sent.
 */
export function createLeanFetch(
  agentOf: (url: URL) => Dispatcher = () => DEFAULT_AGENT,
): LeanFetch {
  return (input, init = {}) =>
    new Promise((resolve, reject) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const { signal } = init;
      if (signal?.aborted) return reject(signal.reason);
      let inbox: Inbox | undefined;
      let running: Dispatcher.DispatchController | undefined;
      const abort = (): void => {
        running?.abort(signal?.reason ?? new DOMException('Aborted.', 'AbortError'));
      };
      const over = (): void => signal?.removeEventListener('abort', abort);
      signal?.addEventListener('abort', abort);
      agentOf(url).dispatch(
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method: init.method ?? 'GET',
          headers: plainHeaders(init.headers),
          body: typeof init.body === 'string' ? init.body : null,
        },
        {
          onRequestStart(controller) {
            running = controller;
            if (signal?.aborted) abort();
          },
          onResponseStart(controller, status, headers) {
            // An interim answer (103) is followed by the real one.
            if (status < 200) return;
            inbox = createInbox(controller);
            resolve(responseOf(status, headersOf(headers), inbox, controller));
          },
          onResponseData: (_controller, chunk) => inbox?.push(chunk),
          onResponseEnd() {
            over();
            inbox?.end();
          },
          onResponseError(_controller, error) {
            over();
            if (inbox === undefined) reject(signal?.aborted ? signal.reason : error);
            else inbox.end(error);
          },
        },
      );
    });
}

/** Headers as undici takes them, which looks at names and values itself. */
function plainHeaders(headers: RequestInit['headers']): Record<string, string> {
  const plain: Record<string, string> = {};
  if (headers === undefined) return plain;
  const pairs = Symbol.iterator in headers ? headers : Object.entries(headers);
  for (const [name, value] of pairs as Iterable<[string, string]>) {
    const key = name.toLowerCase();
    plain[key] = Object.hasOwn(plain, key) ? `${plain[key]}, ${value}` : value;
  }
  return plain;
}

function createInbox(controller: Dispatcher.DispatchController): Inbox {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let isOver = false;
  let error: Error | undefined;
  let waiting: PromiseWithResolvers<Read> | undefined;

  function take(): Read {
    const [first] = chunks;
    const value = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, bytes);
    chunks = [];
    bytes = 0;
    if (controller.paused) controller.resume();
    return { done: false, value };
  }

  return {
    push(chunk) {
      if (waiting !== undefined) {
        waiting.resolve({ done: false, value: chunk });
        waiting = undefined;
        return;
      }
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > HIGH_WATER_BYTES) controller.pause();
    },
    end(thrown) {
      isOver = true;
      error = thrown;
      if (waiting === undefined) return;
      if (thrown === undefined) waiting.resolve({ done: true, value: undefined });
      else waiting.reject(thrown);
      waiting = undefined;
    },
    read() {
      if (chunks.length > 0) return Promise.resolve(take());
      if (error !== undefined) return Promise.reject(error);
      if (isOver) return Promise.resolve({ done: true, value: undefined });
      waiting = Promise.withResolvers<Read>();
      return waiting.promise;
    },
  };
}

/** A response whose body can be read by `getReader`, by `text` and by `json`. */
function responseOf(
  status: number,
  headers: Headers,
  inbox: Inbox,
  controller: Dispatcher.DispatchController,
): Response {
  const response = new Response(null, { status, headers });
  if (BODILESS.has(status)) return response;
  const cancel = async (): Promise<void> => {
    controller.abort(CANCELLED);
  };
  // One object, because the SDKs hold their abort listener by a weak reference to the body: whoever
  // reads must keep it alive.
  const body = {
    getReader: () => body,
    read: inbox.read,
    cancel,
    releaseLock: () => undefined,
  };
  const text = async (): Promise<string> => {
    const parts: Uint8Array[] = [];
    for (;;) {
      const { value } = await inbox.read();
      if (value === undefined) return Buffer.concat(parts).toString('utf8');
      parts.push(value);
    }
  };
  Object.defineProperties(response, {
    body: { value: body },
    text: { value: text },
    json: { value: async () => JSON.parse(await text()) },
  });
  return response;
}

function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers();
  for (const name in raw) {
    const value = raw[name];
    if (typeof value === 'string') headers.append(name, value);
    else for (const one of value ?? []) headers.append(name, one);
  }
  return headers;
}
