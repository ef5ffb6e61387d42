/** What the load generator is asked, and what it answers: plain data over IPC. */

import type { FanOutPlan, LoadPlan } from '../plan.ts';

/** Where streams are asked for. */
export interface Target {
  /**
   * `gateway`: init, open, callback. `direct`: the vendor's own request, also through a relay; `whole`:
   * the same, of which the end counts. `generate`: `/ai/generate`. `nchan`: publish and subscribe.
   */
  readonly kind: 'gateway' | 'direct' | 'whole' | 'generate' | 'nchan';
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** Sent with every `direct` request. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One load. */
export interface LoadJob extends LoadPlan {
  readonly type: 'load';
  /** Each stream is asked of every target, one after the other. */
  readonly targets: readonly Target[];
}

/**
 * Many readers of one stream. It answers {@link ReadersAttached}, and goes on when it is sent
 * {@link ReadersGo}.
 */
export interface FanOutJob extends FanOutPlan {
  readonly type: 'fan-out';
  readonly target: Target;
  /** The readers never see an event: after `go` they leave, and the stream is cancelled. */
  readonly isIdle: boolean;
}

/** All readers are there, and nothing has been said to them yet. */
export interface ReadersAttached {
  readonly type: 'attached';
}

/** What was to be done while all readers wait is done. */
export interface ReadersGo {
  readonly type: 'go';
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
  /**
   * From the first byte of the request to the first token, of each stream of each target, in ms; to
   * the end of the answer where the target is `whole` or `generate`.
   */
  readonly firstTokenMs: readonly (readonly number[])[];
  /** What went wrong, in words. */
  readonly failures: readonly string[];
}

/** What came of many readers. */
export interface FanOutResult {
  /** Events that arrived, summed over the readers. */
  readonly delivered: number;
  /** Bytes of these events. */
  readonly bytes: number;
  /** From `go` to the last event of the last reader. */
  readonly wallMs: number;
  readonly failures: readonly string[];
}
