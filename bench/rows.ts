/** The parts of the scorecard that can be asked for one by one, and whom each needs. */

import type { PeerName } from './peers/peer.ts';

/** What `--only` takes. */
export const ROWS = [
  'full',
  'paced',
  'first-token',
  'ai-generate',
  'fan-out',
  'idle-readers',
  'memory-slope',
  'tasks-accept',
  'tasks-drain',
  'tasks-recovery',
  'tasks-cancel',
  'tasks-fairness',
  'tasks-loop',
  'retrieval',
] as const;

/** One part of the scorecard. */
export type Row = (typeof ROWS)[number];

/** What a quick run does: a slope takes its time. */
const QUICK_ROWS = ROWS.filter((row) => row !== 'memory-slope');

/** Takes the place of all rows that begin with it. */
const TASKS = 'tasks';

const RELAYS: readonly PeerName[] = [
  'origin',
  'node pipe',
  'nginx',
  'Portkey',
  'edge',
  'workerd pipe',
  'workerd script pipe',
  'workerd object pipe',
];

/** The servers of each part, in the order in which they take turns. */
export const SERVERS: Readonly<Record<Row, readonly PeerName[]>> = {
  full: RELAYS,
  paced: RELAYS,
  'first-token': RELAYS,
  'ai-generate': ['origin', 'node pipe'],
  'fan-out': ['origin', 'Nchan'],
  'idle-readers': ['origin, small', 'Nchan', 'edge, small'],
  'memory-slope': ['origin, small', 'edge, small', 'workerd object pipe, small'],
  // Each starts its own, and ends them before the next one.
  'tasks-accept': [],
  'tasks-drain': [],
  'tasks-recovery': [],
  'tasks-cancel': [],
  'tasks-fairness': [],
  'tasks-loop': [],
  // In the bench's own process, on a database of its own.
  retrieval: [],
};

/** What was asked for on the command line. */
export interface Wish {
  readonly quick: boolean;
  readonly rows: readonly Row[];
  /** Writes CPU profiles of what runs on Node. */
  readonly cpuProfile: boolean;
}

export const USAGE = `Usage: npm run bench -- [--quick] [--only <row>]… [--cpu-profile]
Rows: ${ROWS.join(', ')}; ${TASKS} for all of its own.`;

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
      const wished = args[at];
      const named = ROWS.filter((name) => name === wished || isOneOf(name, wished));
      if (named.length === 0) return undefined;
      rows.push(...named);
    } else return undefined;
  }
  return {
    quick,
    cpuProfile,
    rows: rows.length > 0 ? ROWS.filter((row) => rows.includes(row)) : quick ? QUICK_ROWS : ROWS,
  };
}

function isOneOf(row: Row, group: string | undefined): boolean {
  return group === TASKS && row.startsWith(`${TASKS}-`);
}
