/** What became of a stream: its state, the callback's fate, and stopping it. */

import {
  type Fault,
  type Fetch,
  faultOf,
  fieldsOf,
  numberOf,
  type Result,
  requestJson,
  textOf,
} from './wire.ts';

/** Where the callback to `resumeUrl` stands. */
export interface CallbackState {
  readonly status: 'pending' | 'delivered' | 'failed';
  /** Deliveries tried so far. */
  readonly attempts: number;
}

/** `GET /stream/{id}/state`, as far as the page shows it. */
export interface StreamState {
  /** `pending`, `streaming`, `completed`, `failed`, `cancelled` or `expired`. */
  readonly status: string;
  readonly model?: string;
  readonly provider?: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Of an answer of the text services, where the price is known. */
  readonly costUsd?: number;
  readonly callback?: CallbackState;
  readonly error?: Fault;
}

const OPEN_STATUSES: readonly string[] = ['pending', 'streaming'];
const CALLBACK_STATUSES = ['pending', 'delivered', 'failed'] as const;

/** True once the session can change no more; only its callback still can. */
export function isEnded(state: StreamState): boolean {
  return !OPEN_STATUSES.includes(state.status);
}

function callbackOf(value: unknown): CallbackState | undefined {
  const { status, attempts } = fieldsOf(value);
  const known = CALLBACK_STATUSES.find((candidate) => candidate === status);
  return known && { status: known, attempts: numberOf(attempts) ?? 0 };
}

/** Reads a state answer; a field of another shape counts as absent. */
export function parseState(body: unknown): StreamState {
  const { status, model, provider, usage, cost, callback, error } = fieldsOf(body);
  const { inputTokens, outputTokens } = fieldsOf(usage);
  const known = {
    model: textOf(model),
    provider: textOf(provider),
    inputTokens: numberOf(inputTokens),
    outputTokens: numberOf(outputTokens),
    costUsd: numberOf(fieldsOf(cost)['total_usd']),
    callback: callbackOf(callback),
    error: error ? faultOf(error, 'The gateway did not say what failed.') : undefined,
  };
  const present = Object.entries(known).filter(([, value]) => value !== undefined);
  return { status: textOf(status) ?? 'pending', ...Object.fromEntries(present) };
}

/** One look at the state. Never rejects. */
export async function readState(fetch: Fetch, stateUrl: string): Promise<Result<StreamState>> {
  const answer = await requestJson(fetch, stateUrl);
  return answer.ok ? { ok: true, value: parseState(answer.value) } : answer;
}

/** Stops the model; what was said stays. Never rejects. */
export function stopStream(fetch: Fetch, streamUrl: string): Promise<Result<unknown>> {
  return requestJson(fetch, streamUrl, { method: 'DELETE' });
}

/**
 * Waits between looks at the callback, in milliseconds: close together at first, since a delivery
 * on the same machine takes a few milliseconds, then further apart, about 16 s in all.
 */
export const LOOK_DELAYS_MS: readonly number[] = [0, 150, 300, 600, 1_000, 2_000, 4_000, 8_000];

/** What {@link followState} needs besides the address. */
export interface FollowOptions {
  readonly fetch: Fetch;
  readonly wait: (delayMs: number) => Promise<void>;
  /** Once aborted, nothing more is asked or told. */
  readonly signal: AbortSignal;
}

/**
 * Looks at an ended stream until its callback is delivered or given up, at most
 * `LOOK_DELAYS_MS.length` times, and tells each look. Never rejects; a fault ends it.
 */
export async function followState(
  stateUrl: string,
  options: FollowOptions,
  tell: (look: Result<StreamState>) => void,
): Promise<void> {
  for (const delayMs of LOOK_DELAYS_MS) {
    if (delayMs > 0) await options.wait(delayMs);
    if (options.signal.aborted) return;
    const look = await readState(options.fetch, stateUrl);
    if (options.signal.aborted) return;
    tell(look);
    if (!look.ok) return;
    const { callback } = look.value;
    if (isEnded(look.value) && callback !== undefined && callback.status !== 'pending') return;
  }
}
