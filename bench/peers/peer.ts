/** The servers that are compared. */

import type { Target } from '../load/job.ts';
import type { Children } from '../processes/children.ts';

/** A running server. */
export interface Peer {
  readonly name: PeerName;
  readonly target: Target;
  /** The process whose CPU and memory count, with all that it started. */
  readonly pid: number;
  /** How it was started, with paths below the repository's root. */
  readonly command: string;
  /** Where the garbage collector can be asked. */
  readonly heap?: {
    /** Has the garbage collected, in a moment. */
    collect(): void;
    /** What was held after the last collection, in MiB. */
    heldMiB(): number;
  };
}

/** The two gateways, each also in a form that is measured for its memory, and the others. */
export type PeerName =
  | 'origin'
  | 'origin, small'
  | 'node pipe'
  | 'nginx'
  | 'Nchan'
  | 'Portkey'
  | 'edge'
  | 'edge, small'
  | 'workerd pipe'
  | 'workerd script pipe'
  | 'workerd object pipe'
  | 'workerd object pipe, small';

/** A peer that this machine does not have. Its message is the reason, shown in the peer's row. */
export class PeerMissing extends Error {
  override readonly name = 'PeerMissing';
}

/** What servers are started with. */
export interface PeerContext {
  /** Repository root. */
  readonly root: string;
  /** An empty folder for this run. */
  readonly directory: string;
  readonly vendorUrl: string;
  readonly jwtSecret: string;
  readonly children: Children;
  readonly stop: AbortSignal;
  /** Where Node writes CPU profiles of what it runs; none by default. */
  readonly profiles?: string;
}

/** Time an ended stream is kept where memory is measured, in seconds: the least that still replays. */
export const SMALL_RETENTION_SECONDS = 1;

/** The settings of both gateways. `small` forgets ended streams at once. */
export function gatewaySettings(
  { vendorUrl, jwtSecret }: PeerContext,
  small: boolean,
): Record<string, string> {
  return {
    DEV_MODE: 'true',
    JWT_SECRET: jwtSecret,
    OPENAI_API_KEY: 'bench',
    OPENAI_BASE_URL: `${vendorUrl}/v1`,
    // The most there may be; no caller of a run comes near them.
    RATE_LIMIT_PER_MINUTE: '100000',
    MAX_LIVE_STREAMS_PER_SUBJECT: '1000000',
    MAX_READERS_PER_STREAM: '1000000',
    ...(small ? { STREAM_RETENTION_SECONDS: String(SMALL_RETENTION_SECONDS) } : {}),
  };
}
