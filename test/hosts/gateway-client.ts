/** A caller and a reader of the gateway, in plain HTTP. */

import { signCallerToken } from '@headwater/shared/security/caller-token';
import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** The secret that tests and hosts share. */
export const TEST_SECRET = 'test-secret-test-secret-test-secret-0123456789';

/** One event as a browser would see it. */
export type SeenEvent = EventSourceMessage;

/** A caller token; each test has a subject of its own, and so a rate of its own. */
export function callerToken(subject: string): Promise<string> {
  return signCallerToken(TEST_SECRET, { subject, ttlSeconds: 600 });
}

/** Sends `POST /init-stream` as JSON. */
export function postInit(
  baseUrl: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${baseUrl}/init-stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Opens a stream that must open. */
export async function openStream(
  baseUrl: string,
  subject: string,
  body: Readonly<Record<string, unknown>>,
): Promise<string> {
  const response = await postInit(baseUrl, { n8nToken: await callerToken(subject), ...body });
  const answer = (await response.json()) as { ok?: boolean; streamUrl?: string };
  if (answer.ok !== true || answer.streamUrl === undefined) {
    throw new Error(`init failed: ${JSON.stringify(answer)}`);
  }
  return answer.streamUrl;
}

/** Opens a stream on a host that may die under the call: the key makes it safe to ask again. */
export async function openSurely(
  baseUrl: string,
  subject: string,
  body: Readonly<Record<string, unknown>>,
): Promise<string> {
  const n8nToken = await callerToken(subject);
  const untilMs = Date.now() + 30_000;
  for (;;) {
    try {
      const response = await postInit(
        baseUrl,
        { n8nToken, ...body },
        { 'idempotency-key': subject },
      );
      const answer = (await response.json()) as { streamUrl?: string };
      if (answer.streamUrl !== undefined) return answer.streamUrl;
      if (response.status < 500) throw new Error(`init failed: ${JSON.stringify(answer)}`);
    } catch (thrown) {
      // The host is away: it comes back.
      if (!(thrown instanceof TypeError) || Date.now() > untilMs) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** How to read. */
export interface ReadOptions {
  readonly lastEventId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** Closes the connection as soon as this holds. */
  until?(events: readonly SeenEvent[]): boolean;
}

/** What a reader got. */
export interface ReadResult {
  readonly status: number;
  readonly headers: Headers;
  readonly events: readonly SeenEvent[];
  readonly raw: string;
}

/** Reads a stream to its end, or until the reader has had enough. */
export async function readStream(
  streamUrl: string,
  options: ReadOptions = {},
): Promise<ReadResult> {
  const url = new URL(streamUrl);
  for (const [name, value] of Object.entries(options.query ?? {}))
    url.searchParams.set(name, value);
  const leave = new AbortController();
  const response = await fetch(url, {
    signal: leave.signal,
    headers: {
      ...options.headers,
      ...(options.lastEventId === undefined ? {} : { 'last-event-id': options.lastEventId }),
    },
  });
  const events: SeenEvent[] = [];
  let raw = '';
  const parser = createParser({ onEvent: (event) => events.push(event) });
  try {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      raw += chunk;
      parser.feed(chunk);
      if (options.until?.(events) === true) break;
    }
  } finally {
    leave.abort();
  }
  return { status: response.status, headers: response.headers, events, raw };
}

/** The text a page would show: unnamed events but the end marker. */
export function textOf(events: readonly SeenEvent[]): string {
  return events
    .filter((event) => event.event === undefined && event.data !== '[DONE]')
    .map((event) => event.data)
    .join('');
}

/** True once the end marker, or an error, has come. */
export function sawEnd(events: readonly SeenEvent[]): boolean {
  const last = events.at(-1);
  return last?.data === '[DONE]' || last?.event === 'error';
}

/** `GET /stream/{id}/state`. */
export async function stateOf(streamUrl: string): Promise<Record<string, unknown>> {
  const url = new URL(streamUrl);
  url.pathname += '/state';
  const response = await fetch(url);
  return (await response.json()) as Record<string, unknown>;
}

/** Asks again until the state satisfies `holds`, for at most 30 s. */
export async function stateOnce(
  streamUrl: string,
  holds: (state: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  const untilMs = Date.now() + 30_000;
  for (;;) {
    const state = await stateOf(streamUrl);
    if (holds(state)) return state;
    if (Date.now() > untilMs) throw new Error(`state stayed ${JSON.stringify(state)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
