/** What a host supplies to the stream engine. Each duty is tested by the port's contract suite. */

import type { WireError } from '../protocol/errors.ts';
import type { EventBatch, EventPosition, StreamEvent } from './event.ts';
import type { FrameFormat } from './frames.ts';
import type { SessionState } from './session-state.ts';

/** A value now, or later: a host that can answer at once spares a turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * The events of one stream, in order, for as long as it can be replayed. It holds one epoch at a
 * time: a batch of a later epoch that begins with number 1 replaces everything before it.
 */
export interface StreamLog {
  /**
   * MUST keep the order of calls. MUST reject with `conflict` when `firstSeq` is not the number
   * after the last event of the same epoch, or 1 of a later epoch; a writer that has lost the stream
   * to another one is refused the same way. All of a batch is kept, or none of it. What is appended
   * MUST be readable when it resolves, but may live and die with the process until `seal`.
   */
  append(batch: EventBatch): MaybePromise<void>;
  /**
   * At most `limit` events after a position, in order and without a hole. MUST return at least one
   * when there is one; an empty array at the end, and where the position's epoch is not the log's.
   */
  read(after: EventPosition, limit: number): MaybePromise<readonly StreamEvent[]>;
  /** Where the log ends; epoch and number are 0 for an empty one. */
  head(): MaybePromise<EventPosition>;
  /** The stream has ended. Every event MUST be durable when it resolves. */
  seal(): MaybePromise<void>;
  /** Forgets everything; the log is then as if new. */
  drop(): MaybePromise<void>;
}

/** Keeps the state of one session, so that a restart finds it. */
export interface SessionStore {
  /** MUST replace the whole state, and MUST be durable when it resolves. */
  save(state: SessionState): MaybePromise<void>;
  load(): MaybePromise<SessionState | undefined>;
  drop(): MaybePromise<void>;
}

/** One reader's connection, seen from the engine. */
export interface Subscriber {
  readonly format: FrameFormat;
  /**
   * Hands over frames without waiting, in order. MUST NOT throw when the reader is gone. Returns
   * the bytes the reader has not taken yet, this frame's among them; 0 where the host cannot know.
   */
  write(frame: string): number;
  /** Resolves when the reader has taken what was written, or is gone. */
  drained(): MaybePromise<void>;
  /** Ends the connection after what was written; `error` names why where it is not the end. */
  end(error?: WireError): void;
  /**
   * Drops the connection at once, with what the reader has not taken; a transport that has close
   * codes names `error` by its own. The reader comes back with its last id.
   */
  cut(error: WireError): void;
}

/** Time, so that tests can own it. */
export interface Clock {
  nowMs(): number;
}

/** One wake-up call for one owner; setting it again replaces it. */
export interface Alarm {
  /** `undefined` clears it. It MUST come at or after `atMs`, also after a restart where state is kept. */
  set(atMs: number | undefined): void;
}

/** A callback to be delivered. */
export interface OutgoingCallback {
  /** Stable over retries and restarts: receivers drop what they have seen (`webhook-id`). */
  readonly id: string;
  readonly url: string;
  /** JSON text. */
  readonly body: string;
}

/** How far a callback has come. */
export interface DeliveryView {
  readonly status: 'pending' | 'delivered' | 'failed';
  readonly attempts: number;
  /** HTTP status of the last answer, where there was one. */
  readonly lastStatus?: number;
}

/** Brings callbacks home, whatever it takes. */
export interface Outbox {
  /** MUST have kept the callback when it resolves; the same id again MUST change nothing. */
  enqueue(callback: OutgoingCallback): MaybePromise<void>;
  view(id: string): MaybePromise<DeliveryView | undefined>;
  /** Drops what is known of a callback that is over. */
  forget(id: string): MaybePromise<void>;
}

/** Structured log; a message never holds a token, a key, a prompt, an answer or a URL's query. */
export interface Logger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}
