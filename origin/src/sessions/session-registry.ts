/** The sessions of an origin, as its routes see them. */

import type { StreamEngine } from '@headwater/shared/stream/engine';
import type { SessionState } from '@headwater/shared/stream/session-state';

/** One stream, wherever in the cluster its session lives. */
export type SessionHandle = Pick<
  StreamEngine,
  'status' | 'decide' | 'attach' | 'detach' | 'cancel' | 'view'
>;

/** Sessions by stream id. */
export interface SessionRegistry {
  /** MUST have kept the new session when it resolves; the same one again MUST change nothing. */
  create(state: SessionState): Promise<void>;
  /** `undefined` where there is no such stream, or it is forgotten. */
  get(streamId: string): Promise<SessionHandle | undefined>;
  /**
   * The process goes down: no new session is taken, answers have `graceMs` to end, and what is live
   * after that is left to the process that comes next, or to another one of the cluster.
   */
  close(graceMs: number): Promise<void>;
}
