/** When a callback is sent, and when it is over: pure decisions. */

/** Where the delivery of one callback stands; plain data. */
export interface DeliveryState {
  readonly id: string;
  readonly url: string;
  readonly body: string;
  readonly status: 'pending' | 'delivered' | 'failed';
  readonly attempts: number;
  readonly createdAtMs: number;
  readonly nextAttemptAtMs: number;
  readonly lastStatus?: number;
}

/** What came of one attempt. */
export type AttemptOutcome =
  | { readonly type: 'delivered'; readonly status: number }
  /** The receiver will never take it. */
  | { readonly type: 'refused'; readonly status: number }
  /** Worth another attempt, not before `retryAfterMs` where the receiver said so. */
  | { readonly type: 'retry'; readonly status?: number; readonly retryAfterMs?: number };

/** A callback nobody took is given up after this: long enough for a weekend's outage. */
export const GIVE_UP_AFTER_MS = 72 * 60 * 60 * 1000;

/**
 * First pause. n8n answers 409 while the execution has not reached its Wait node yet and takes the
 * same call some 100 ms later.
 */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15 * 60 * 1000;

/** A new delivery, due at once. */
export function newDelivery(
  callback: { readonly id: string; readonly url: string; readonly body: string },
  nowMs: number,
): DeliveryState {
  return {
    ...callback,
    status: 'pending',
    attempts: 0,
    createdAtMs: nowMs,
    nextAttemptAtMs: nowMs,
  };
}

/**
 * The state after an attempt. Pauses double from 250 ms to 15 min, each stretched by up to a half
 * (`jitter`, 0–1), so that receivers that come back are not stormed.
 */
export function afterAttempt(
  state: DeliveryState,
  outcome: AttemptOutcome,
  nowMs: number,
  jitter: number,
): DeliveryState {
  const attempts = state.attempts + 1;
  const seen = outcome.status === undefined ? {} : { lastStatus: outcome.status };
  if (outcome.type === 'delivered') return { ...state, ...seen, attempts, status: 'delivered' };
  if (outcome.type === 'refused') return { ...state, ...seen, attempts, status: 'failed' };
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(state.attempts, 20));
  const nextAttemptAtMs =
    nowMs + Math.max(outcome.retryAfterMs ?? 0, Math.round(pauseMs * (1 + jitter / 2)));
  if (nextAttemptAtMs - state.createdAtMs > GIVE_UP_AFTER_MS) {
    return { ...state, ...seen, attempts, status: 'failed' };
  }
  return { ...state, ...seen, attempts, nextAttemptAtMs };
}

/** Answers of n8n that say "not yet", whatever their status. */
const N8N_STARTING = 'n8n is starting up';
const N8N_FINISHED = 'has finished already';
const N8N_GONE = 'does not exist';

/**
 * Reads a receiver's answer. `body` is its first bytes as text; n8n's meaning is in the words:
 * a 200 of an n8n that is starting up is no delivery, 409 "is running already" is "not yet",
 * "has finished already" and a JSON "does not exist" are final (seen on n8n 1.123 and 2.40).
 */
export function classifyAnswer(
  status: number,
  contentType: string,
  body: string,
  retryAfterMs: number | undefined,
): AttemptOutcome {
  const retry: AttemptOutcome =
    retryAfterMs === undefined
      ? { type: 'retry', status }
      : { type: 'retry', status, retryAfterMs };
  if (status >= 200 && status < 300) {
    return body.includes(N8N_STARTING) ? retry : { type: 'delivered', status };
  }
  if (status === 409) return body.includes(N8N_FINISHED) ? { type: 'refused', status } : retry;
  if (status === 404) {
    const final = contentType.includes('json') && body.includes(N8N_GONE);
    return final ? { type: 'refused', status } : retry;
  }
  if (status === 410) return { type: 'refused', status };
  if (status === 408 || status === 425 || status === 429 || status >= 500) return retry;
  // 3xx: redirects are not followed, a callback goes where its caller said and nowhere else.
  return { type: 'refused', status };
}

/** Reads `Retry-After` (RFC 9110 §10.2.3: seconds, or a date), in ms; at most an hour. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, 60 * 60 * 1000) : undefined;
}
