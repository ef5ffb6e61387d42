/** The parts of the scorecard that can be asked for one by one, and whom each needs. */

import type { PeerName } from './peers/peer.ts';

/** What `--only` takes. */
export const ROWS = [
  'full',
  'paced',
  'first-token',
  'fan-out',
  'idle-readers',
  'memory-slope',
] as const;

/** One part of the scorecard. */
export type Row = (typeof ROWS)[number];

/** What a quick run does: a slope takes its time. */
const QUICK_ROWS = ROWS.filter((row) => row !== 'memory-slope');

const RELAYS: readonly PeerName[] = [
  'origin',
  'node pipe',
  'nginx',
  'Portkey',
  'edge',
  'workerd pipe',
  'workerd script pipe',
];

/** The servers of each part, in the order in which they take turns. */
export const SERVERS: Readonly<Record<Row, readonly PeerName[]>> = {
  full: RELAYS,
  paced: RELAYS,
  'first-token': RELAYS,
  'fan-out': ['origin', 'Nchan'],
  'idle-readers': ['origin, small', 'Nchan', 'edge, small'],
  'memory-slope': ['origin, small', 'edge, small'],
};

/** What was asked for on the command line. */
export interface Wish {
  readonly quick: boolean;
  readonly rows: readonly Row[];
  /** Writes CPU profiles of what runs on Node. */
  readonly cpuProfile: boolean;
}

export const USAGE = `Usage: npm run bench -- [--quick] [--only <row>]… [--cpu-profile]
Rows: ${ROWS.join(', ')}.`;

/** Reads the arguments; `undefined` for any that make no sense. */
export function readWish(args: readonly string[]): Wish | undefined {
  const rows: Row[] = [];
  let quick = false;
  let cpuProfile = false;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at];
    if (arg === '--quick') quick = true;
    else if (arg === '--cpu-profile') cpuProfile = true;
    else if (arg === '--only') {
      at += 1;
      const row = ROWS.find((name) => name === args[at]);
      if (row === undefined) return undefined;
      rows.push(row);
    } else return undefined;
  }
  return {
    quick,
    cpuProfile,
    rows: rows.length > 0 ? ROWS.filter((row) => rows.includes(row)) : quick ? QUICK_ROWS : ROWS,
  };
}
