/** What the load generator is asked, and what it answers: plain data over IPC. */

import type { LoadPlan } from '../plan.ts';

/** Where streams are asked for. */
export interface Target {
  /** `gateway`: init, open, callback. `direct`: the vendor's own request, also through a pipe. */
  readonly kind: 'gateway' | 'direct';
  /** Without a slash at its end. */
  readonly baseUrl: string;
}

/** One load. */
export interface LoadJob extends LoadPlan {
  readonly type: 'load';
  /** Each stream is asked of every target, one after the other. */
  readonly targets: readonly Target[];
}

/** Looks once more for callbacks that came twice. */
export interface AuditJob {
  readonly type: 'audit';
}

/** What came of a job. */
export interface LoadResult {
  /** Tokens of the streams that arrived whole. */
  readonly tokens: number;
  /** From the first request to the last callback. */
  readonly wallMs: number;
  /** From the first byte of the request to the first token, of each stream of each target, in ms. */
  readonly firstTokenMs: readonly (readonly number[])[];
  /** What went wrong, in words. */
  readonly failures: readonly string[];
}
