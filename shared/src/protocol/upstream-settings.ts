/** How patient the gateway is with a model vendor, as settings. */

import { wholeNumber } from './setting-types.ts';

/** Longest time one answer may take, whatever the setting says: a day. */
const MAX_SECONDS = 86_400;

/** Schema of the settings. */
export const UPSTREAM_SETTINGS = {
  UPSTREAM_CONNECT_TIMEOUT_SECONDS: wholeNumber(1, MAX_SECONDS).optional(),
  UPSTREAM_FIRST_TOKEN_TIMEOUT_SECONDS: wholeNumber(1, MAX_SECONDS).optional(),
  UPSTREAM_IDLE_TIMEOUT_SECONDS: wholeNumber(1, MAX_SECONDS).optional(),
  UPSTREAM_TOTAL_TIMEOUT_SECONDS: wholeNumber(1, MAX_SECONDS).optional(),
  UPSTREAM_MAX_RETRIES: wholeNumber(0, 10).optional(),
  UPSTREAM_BREAKER_FAILURES: wholeNumber(0, 1000).optional(),
  UPSTREAM_BREAKER_OPEN_SECONDS: wholeNumber(1, 3600).optional(),
};

/** Longest waits for a vendor, in milliseconds. Each ends an answer with `upstream_timeout`. */
export interface VendorTimeouts {
  /** From sending the request to the headers of the answer: `fetch` shows no earlier moment. */
  readonly connectMs: number;
  /** From sending the request to the first text or tool call; keep-alives do not count. */
  readonly firstTokenMs: number;
  /** Between bytes. Time in which the reader is busy does not count. */
  readonly idleMs: number;
  /** For the whole answer. */
  readonly totalMs: number;
}

/** When a failing vendor is asked again, and when it is left alone. */
export interface UpstreamGuard {
  /** Attempts after the first, before anything of an answer came. Default 2; 0 makes none. */
  readonly maxRetries: number;
  /** Failures in a row after which the vendor is left alone. Default 5; 0 never leaves it alone. */
  readonly breakerFailures: number;
  /** For how long it is left alone. Default 30 s. */
  readonly breakerOpenMs: number;
}

/** One minute to a first token: reasoning models think that long. */
export const DEFAULT_TIMEOUTS: VendorTimeouts = {
  connectMs: 60_000,
  firstTokenMs: 60_000,
  idleMs: 60_000,
  totalMs: 900_000,
};

/** A first request loads the model: Ollama itself allows that 5 minutes (`OLLAMA_LOAD_TIMEOUT`). */
export const OLLAMA_TIMEOUTS: VendorTimeouts = {
  ...DEFAULT_TIMEOUTS,
  connectMs: 300_000,
  firstTokenMs: 300_000,
};

type Read = Partial<Record<keyof typeof UPSTREAM_SETTINGS, number | undefined>>;

/** Fills in the defaults of the waits; a vendor may have its own. */
export function readTimeouts(read: Read, defaults: VendorTimeouts): VendorTimeouts {
  return {
    connectMs: toMs(read.UPSTREAM_CONNECT_TIMEOUT_SECONDS) ?? defaults.connectMs,
    firstTokenMs: toMs(read.UPSTREAM_FIRST_TOKEN_TIMEOUT_SECONDS) ?? defaults.firstTokenMs,
    idleMs: toMs(read.UPSTREAM_IDLE_TIMEOUT_SECONDS) ?? defaults.idleMs,
    totalMs: toMs(read.UPSTREAM_TOTAL_TIMEOUT_SECONDS) ?? defaults.totalMs,
  };
}

/** Fills in the defaults of retries and breaker. */
export function readGuard(read: Read): UpstreamGuard {
  return {
    maxRetries: read.UPSTREAM_MAX_RETRIES ?? 2,
    breakerFailures: read.UPSTREAM_BREAKER_FAILURES ?? 5,
    breakerOpenMs: toMs(read.UPSTREAM_BREAKER_OPEN_SECONDS) ?? 30_000,
  };
}

function toMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
