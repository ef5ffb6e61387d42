/** The servers that are compared. */

import type { Target } from '../load/job.ts';
import type { Children } from '../processes/children.ts';

/** A running server. */
export interface Peer {
  readonly name: PeerName;
  readonly target: Target;
  /** The process whose CPU and memory count. */
  readonly pid: number;
  /** How it was started, with paths below the repository's root. */
  readonly command: string;
}

/** The two gateways, and what each is measured beside. */
export type PeerName = 'origin' | 'node pipe' | 'edge' | 'workerd pipe' | 'workerd script pipe';

/** Which pipes a gateway is compared with: each runs on the same runtime. */
export const BASELINES: Readonly<Record<'origin' | 'edge', readonly PeerName[]>> = {
  origin: ['node pipe'],
  edge: ['workerd pipe', 'workerd script pipe'],
};

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
}

/** The settings of both gateways. */
export function gatewaySettings({ vendorUrl, jwtSecret }: PeerContext): Record<string, string> {
  return {
    DEV_MODE: 'true',
    JWT_SECRET: jwtSecret,
    OPENAI_API_KEY: 'bench',
    OPENAI_BASE_URL: `${vendorUrl}/v1`,
    // The most there may be; no caller of a run comes near it.
    RATE_LIMIT_PER_MINUTE: '100000',
  };
}
