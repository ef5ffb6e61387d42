/** Hands a request on to an origin that works, and its answer back, without holding either. */

import {
  BASE_URL_HEADER,
  encodeSubject,
  SUBJECT_HEADER,
} from '@headwater/shared/gateway/forwarded-subject';
import type { OriginAttempt, OriginPool } from '@headwater/shared/gateway/origin-pool';
import { readRefusal } from '@headwater/shared/gateway/origin-refusal';
import { GatewayError } from '@headwater/shared/protocol/errors';

/** What is handed on. */
export interface Forwarding {
  readonly request: Request;
  /**
   * Whom the edge has authenticated. Absent where the request shows a token that only the origin can
   * judge: then it comes there as its caller's own, without the edge's key.
   */
  readonly subject?: string;
  readonly requestId: string;
  /** `INTERNAL_API_KEY`. */
  readonly apiKey: string | undefined;
  /** Base of URLs in the answer: `PUBLIC_URL`, or where the caller's request came to. */
  readonly baseUrl: string;
  /** Longest wait for the head of the answer to what has a body, in ms. Default 120 s. */
  readonly timeoutMs?: number;
  readonly pool: OriginPool;
  /** Origins of the pool. */
  readonly origins: number;
}

/** A body up to here is held, so that another origin can have it too, in bytes. */
const HELD_BYTES = 1024 * 1024;

/** Longest wait for the head of an answer, in ms; beside what the caller itself would wait. */
const HEAD_TIMEOUT_MS = 10_000;

/** The same for what has a body: the origin reads it, and what it points at, before it answers. */
const BODY_TIMEOUT_MS = 120_000;

/** An origin that answered this long ago still stands, for a body that can be sent only once, in ms. */
const FRESH_MS = 5_000;
const PROBE_TIMEOUT_MS = 1_000;

/** What an origin is told of a request; everything else is between the caller and the edge. */
const REQUEST_HEADERS = [
  ...['accept', 'content-type', 'content-length', 'idempotency-key', 'last-event-id', 'prefer'],
];

/** What the caller is told of an answer. */
const RESPONSE_HEADERS = [
  ...['cache-control', 'content-type', 'idempotent-replayed', 'location', 'preference-applied'],
  ...['retry-after', 'x-accel-buffering', 'x-stream-url'],
];

/**
 * Sends it to one origin after the other until one answers. What has a long body goes to one origin
 * alone, and is not repeated. Errors: those of the origin, by its codes; `unavailable` where none
 * answers; `upstream_failed` where one broke off under a request that cannot be repeated;
 * `upstream_timeout`.
 */
export async function forwardToOrigin(forwarding: Forwarding): Promise<Response> {
  const { request, pool } = forwarding;
  const body = await readBody(request);
  const headers = headersFor(forwarding, body.isHeld);
  let refusal: GatewayError | undefined;
  const attempts = pool.attempts();
  for (;;) {
    let attempt: OriginAttempt;
    try {
      ({ value: attempt } = attempts.next());
    } catch (none) {
      // An origin that refused said more than that no other one is left.
      throw refusal ?? none;
    }
    if (!body.isRepeatable && !(await isUp(attempt))) {
      attempt.failed();
      continue;
    }
    const response = await send(forwarding, attempt, headers, body.content);
    if (response === undefined) {
      if (body.isRepeatable) continue;
      throw new GatewayError('upstream_failed', 'The origin broke off. Send it again.');
    }
    if (response.status < 400) {
      attempt.answered();
      return answerOf(response);
    }
    const read = await readRefusal(response);
    if (read.isDown) attempt.failed();
    else attempt.answered();
    if (!read.mayDifferElsewhere || !body.isRepeatable) throw read.error;
    refusal = read.error;
  }
}

interface Body {
  readonly content: ArrayBuffer | ReadableStream | null;
  /** It is in memory. */
  readonly isHeld: boolean;
  readonly isRepeatable: boolean;
}

async function readBody(request: Request): Promise<Body> {
  if (request.body === null) return { content: null, isHeld: false, isRepeatable: true };
  const length = Number(request.headers.get('content-length') ?? Number.NaN);
  if (!(length <= HELD_BYTES)) {
    return { content: request.body, isHeld: false, isRepeatable: false };
  }
  return { content: await request.arrayBuffer(), isHeld: true, isRepeatable: true };
}

function headersFor(forwarding: Forwarding, isHeld: boolean): Headers {
  const { request, subject, requestId, apiKey, baseUrl, origins } = forwarding;
  const headers = new Headers({ 'x-request-id': requestId });
  for (const name of REQUEST_HEADERS) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (subject === undefined) {
    const token = request.headers.get('authorization');
    if (token !== null) headers.set('authorization', token);
    return headers;
  }
  if (apiKey !== undefined) headers.set('x-api-key', apiKey);
  headers.set(BASE_URL_HEADER, baseUrl);
  const encoded = encodeSubject(subject);
  if (encoded === undefined) {
    throw new GatewayError('forbidden', 'The subject of this token is too long.');
  }
  headers.set(SUBJECT_HEADER, encoded);
  // An origin may have accepted what it could not answer any more: the key makes it one task.
  if (request.method === 'POST' && isHeld && origins > 1 && !headers.has('idempotency-key')) {
    headers.set('idempotency-key', `edge-${crypto.randomUUID()}`);
  }
  return headers;
}

/** The answer's head; `undefined` where the origin is down. Errors: `upstream_timeout`. */
async function send(
  { request, timeoutMs }: Forwarding,
  attempt: OriginAttempt,
  headers: Headers,
  content: Body['content'],
): Promise<Response | undefined> {
  const { pathname, search } = new URL(request.url);
  const abort = new AbortController();
  const leave = () => abort.abort();
  request.signal.addEventListener('abort', leave);
  let isLate = false;
  const timer = setTimeout(
    () => {
      isLate = true;
      abort.abort();
    },
    timeoutOf(request, timeoutMs),
  );
  try {
    return await fetch(`${attempt.url}${pathname}${search}`, {
      method: request.method,
      headers,
      body: content,
      redirect: 'manual',
      signal: abort.signal,
    });
  } catch (cause) {
    if (request.signal.aborted) {
      attempt.abandoned();
      throw new GatewayError('upstream_failed', 'The caller left.', { cause });
    }
    attempt.failed();
    if (!isLate) return undefined;
    throw new GatewayError('upstream_timeout', 'The origin did not answer in time.', { cause });
  } finally {
    // A timer that is left would keep the answer's own time short; the caller may leave any time.
    clearTimeout(timer);
  }
}

function timeoutOf(request: Request, bodyTimeoutMs = BODY_TIMEOUT_MS): number {
  const wait = /\bwait=(\d{1,4})\b/.exec(request.headers.get('prefer') ?? '');
  const headMs = request.body === null ? HEAD_TIMEOUT_MS : bodyTimeoutMs;
  return headMs + Number(wait?.[1] ?? 0) * 1000;
}

/** Whether the origin answers, as far as it must be known before a body is spent on it. */
async function isUp(attempt: OriginAttempt): Promise<boolean> {
  if (Date.now() - (attempt.answeredAtMs ?? 0) < FRESH_MS) return true;
  try {
    const response = await fetch(`${attempt.url}/health`, {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    // Down: the next one may be up.
    return false;
  }
}

function answerOf(response: Response): Response {
  const headers = new Headers();
  for (const name of RESPONSE_HEADERS) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(response.body, { status: response.status, headers });
}
