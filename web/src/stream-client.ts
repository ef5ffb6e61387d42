/** Opens a stream and reads it. No DOM: fetch and EventSource are handed in. */

import {
  type Fault,
  type Fetch,
  faultOf,
  fieldsOf,
  numberOf,
  parseJson,
  type Result,
  requestJson,
  textOf,
} from './wire.ts';

/** The body of `POST /init-stream` as this page sends it. */
export interface StreamRequest {
  /** The caller's JWT; not needed where the gateway runs in DEV_MODE. */
  readonly n8nToken?: string;
  readonly resumeUrl: string;
  readonly prompt: string;
  /** Default: the gateway's own default model. */
  readonly model?: string;
}

/** Where one stream lives: paths with their `access_token` query, on the page's own origin. */
export interface StreamAddress {
  /** `GET` reads it by SSE, `DELETE` stops it. */
  readonly stream: string;
  /** `GET` gives status, usage and the callback's fate. */
  readonly state: string;
}

/** What a reader is told, in order. `done`, `fault` and `refused` are the last one. */
export type StreamEvent =
  | { readonly type: 'open' }
  | { readonly type: 'text'; readonly text: string }
  /** The answer begins again: the text so far is void. */
  | { readonly type: 'restart' }
  /** How far something long is: `share` is 0–1, `stage` what is being done. */
  | { readonly type: 'progress'; readonly share: number; readonly stage: string }
  /** The connection dropped; the browser comes back by itself with `Last-Event-ID`. */
  | { readonly type: 'reconnecting' }
  | { readonly type: 'done' }
  | { readonly type: 'fault'; readonly fault: Fault }
  /** The gateway answered with no event stream (204, 401, 410 …); `state` tells why. */
  | { readonly type: 'refused' };

/** The part of the browser's EventSource this reader uses. */
export interface EventSourceLike {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: Event) => void): void;
  close(): void;
}

/** EventSource.CLOSED in the HTML standard: the browser will not try again. */
const CLOSED = 2;

/**
 * Cuts in a row without any text after which a reader gives up: the browser waits about a second
 * before each of its returns, so a lasting fault shows within a few seconds.
 */
const MAX_CUTS = 3;

const BROKEN_ANSWER = 'The gateway opened no stream: its answer holds no streamUrl.';
const BROKEN_STREAM = 'The stream ended with an error the gateway did not describe.';

/**
 * Paths of a stream from the `streamUrl` the gateway returned. Only path and query are kept: the
 * page may be open under another name of the same host (127.0.0.1 for localhost), and its content
 * security policy lets it call no origin but its own.
 */
export function streamAddress(streamUrl: string, baseUrl: string): StreamAddress {
  const { pathname, search } = new URL(streamUrl, baseUrl);
  return { stream: `${pathname}${search}`, state: `${pathname}/state${search}` };
}

/** The JSON body for a request: empty fields are left out, so the gateway's defaults hold. */
export function initBody(request: StreamRequest): string {
  const { n8nToken, resumeUrl, prompt, model } = request;
  return JSON.stringify({
    ...(n8nToken ? { n8nToken } : {}),
    prompt,
    ...(model ? { model } : {}),
    resumeUrl,
  });
}

/** `POST /init-stream` below `baseUrl`. Never rejects: a refusal is the result's fault. */
export async function initStream(
  fetch: Fetch,
  baseUrl: string,
  request: StreamRequest,
): Promise<Result<StreamAddress>> {
  const answer = await requestJson(fetch, new URL('init-stream', baseUrl).href, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: initBody(request),
  });
  if (!answer.ok) return answer;
  const { streamUrl } = fieldsOf(answer.value);
  const url = textOf(streamUrl);
  if (url === undefined || !URL.canParse(url, baseUrl)) {
    return { ok: false, fault: { code: 'processing_failed', message: BROKEN_ANSWER } };
  }
  return { ok: true, value: streamAddress(url, baseUrl) };
}

/**
 * Reads a stream to its end and closes the source there. The returned function closes it early;
 * nothing is told after that.
 *
 * An `error` event with an id of its own is part of the stream and ends it. One without ends only
 * this connection (a reader too slow, a log unread): the browser returns with its last id.
 */
export function readStream(
  source: EventSourceLike,
  tell: (event: StreamEvent) => void,
): () => void {
  let ended = false;
  let lastId = '';
  let cuts = 0;
  const end = (last?: StreamEvent) => {
    if (ended) return;
    ended = true;
    source.close();
    if (last !== undefined) tell(last);
  };

  const hearError = (event: MessageEvent) => {
    const cut = lastId !== '' && event.lastEventId === lastId;
    cuts += 1;
    if (cut && cuts < MAX_CUTS) return;
    end({ type: 'fault', fault: faultOf(parseJson(String(event.data)), BROKEN_STREAM) });
  };

  source.addEventListener('open', () => {
    if (!ended) tell({ type: 'open' });
  });
  source.addEventListener('message', (event) => {
    if (ended || !(event instanceof MessageEvent)) return;
    lastId = event.lastEventId;
    cuts = 0;
    if (event.data === '[DONE]') end({ type: 'done' });
    else tell({ type: 'text', text: String(event.data) });
  });
  source.addEventListener('restart', (event) => {
    if (ended || !(event instanceof MessageEvent)) return;
    lastId = event.lastEventId;
    cuts = 0;
    tell({ type: 'restart' });
  });
  source.addEventListener('progress', (event) => {
    if (ended || !(event instanceof MessageEvent)) return;
    lastId = event.lastEventId;
    cuts = 0;
    const { progress, stage } = fieldsOf(parseJson(String(event.data)));
    tell({ type: 'progress', share: numberOf(progress) ?? 0, stage: textOf(stage) ?? '' });
  });
  source.addEventListener('error', (event) => {
    if (ended) return;
    // The gateway's own `error` event and the browser's share one name; only the first has data.
    if (event instanceof MessageEvent) hearError(event);
    else if (source.readyState === CLOSED) end({ type: 'refused' });
    else tell({ type: 'reconnecting' });
  });
  return () => end();
}
