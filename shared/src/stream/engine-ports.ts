/** What the engine of a session is wired to, and what it offers to its host. */

import type { ModelProvider } from '../providers/contract.ts';
import type { EventPosition, StreamStatus } from './event.ts';
import type {
  Alarm,
  Clock,
  Logger,
  MaybePromise,
  Outbox,
  SessionStore,
  StreamLog,
  Subscriber,
} from './ports.ts';
import type { AttachDecision } from './resume-cursor.ts';
import type { ModelTarget } from './session-state.ts';
import type { StreamView } from './stream-view.ts';

/** What one session's engine is wired to. */
export interface EnginePorts {
  readonly log: StreamLog;
  readonly store: SessionStore;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly logger: Logger;
  /**
   * Keeps all of what `work` writes to log, store and outbox, or nothing of it; resolves once it is
   * kept. Such ports begin each write in the call itself. Absent: each write is kept by itself.
   */
  asOne?(work: () => void): MaybePromise<void>;
  /** The vendor of a target; throws `unavailable` where it is not wired. */
  provider(target: ModelTarget): ModelProvider;
  /** Tokens in a text, for vendors that give no usage. */
  countTokens(text: string): Promise<number>;
  /** What a model says within this time is appended together, in ms. Default 0: each read by itself. */
  readonly gatherMs?: number;
  /** Readers at the same time. Default: any number. */
  readonly maxReaders?: number;
  /** Bytes a reader may leave untaken before it is cut. */
  readonly maxBufferedBytes?: number;
  /** The session's end is kept and shown. */
  ended?(): void;
  /** The session has forgotten everything; its owner may drop it. */
  purged(): void;
  /** Another host owns the stream now: this engine does nothing more, and its readers come back. */
  lost?(): void;
}

/** One live session. */
export interface StreamEngine {
  /**
   * Where a reader that has read up to `after` would begin; changes nothing. Throws `rate_limited`
   * when the stream has as many readers as it may.
   */
  decide(after: EventPosition | undefined): AttachDecision;
  /**
   * Serves a reader after the given number until the end, its own departure, or a cut; with `gap`,
   * it is told that what it had read is not of this stream.
   */
  attach(subscriber: Subscriber, afterSeq: number, gap?: boolean): void;
  detach(subscriber: Subscriber): void;
  /** Readers that other hosts serve from the same log. */
  countRemoteReaders(count: number): void;
  /** Stops the model and keeps what was said; resolves once the end is kept. */
  cancel(): Promise<void>;
  /** The host is going down: ends a live session with a clear error, so that its callback goes out. */
  interrupt(): Promise<void>;
  /** Leaves the session to another host: stops the model and lets the readers go, without an end. */
  handOver(): void;
  /** The alarm rang. */
  wake(): Promise<void>;
  view(): Promise<StreamView>;
  readonly status: StreamStatus;
  /** True once the store has the ended state: the engine knows nothing then that is not kept. */
  readonly isAtRest: boolean;
  /** Readers served here. */
  readonly readerCount: number;
  /** Resolves when every effect begun so far has ended. */
  idle(): Promise<void>;
}
