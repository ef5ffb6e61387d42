/** From measurements to the rows of the scorecard. Pure. */

import type { FirstTokenRound, Measurements } from '../measure.ts';
import { BASELINES, type PeerName } from '../peers/peer.ts';
import { quantile, type Spread, spreadOf } from './statistics.ts';

/** One row. */
export interface ScoreRow {
  /** What was measured. */
  readonly name: string;
  readonly peer: PeerName;
  readonly unit: string;
  readonly spread: Spread;
  /** The same of each pipe on the same runtime, and how many times it the gateway's is. */
  readonly beside: readonly {
    readonly peer: PeerName;
    readonly spread: Spread;
    /** Median of the ratios of each round, or of the medians where there is one value only. */
    readonly ratio: number;
  }[];
}

interface Quantity {
  readonly name: string;
  readonly unit: string;
  /** One value a round. */
  values(peer: PeerName): readonly number[];
}

/** All rows: each quantity of each gateway, beside its pipes. */
export function scorecardOf(measured: Measurements): ScoreRow[] {
  return quantitiesOf(measured).flatMap((quantity) =>
    (['origin', 'edge'] as const).map((gateway) => rowOf(quantity, gateway)),
  );
}

function rowOf({ name, unit, values }: Quantity, gateway: 'origin' | 'edge'): ScoreRow {
  const own = values(gateway);
  const beside = BASELINES[gateway].map((peer) => {
    const theirs = values(peer);
    const ratios = own.map((value, round) => value / (theirs[round] ?? Number.NaN));
    return { peer, spread: spreadOf(theirs), ratio: quantile(ratios, 0.5) };
  });
  return { name, peer: gateway, unit, spread: spreadOf(own), beside };
}

function quantitiesOf({ loads, firstTokens, memory }: Measurements): Quantity[] {
  const cpu = (load: 'full' | 'paced') => (peer: PeerName) =>
    loads
      .filter((round) => round.load === load && round.peer === peer)
      .map((round) => round.cpuUsPerToken);
  const added = (q: number) => (peer: PeerName) =>
    firstTokens.filter((round) => round.peer === peer).map((round) => addedMs(round, q));
  const short = (peer: PeerName) =>
    firstTokens.filter((round) => round.peer === peer).map((round) => round.cpuMsPerStream);
  const noted = (read: (note: (typeof memory)[number]) => number) => (peer: PeerName) =>
    memory.filter((note) => note.peer === peer).map(read);
  return [
    { name: 'CPU per token, full speed', unit: 'µs', values: cpu('full') },
    { name: 'CPU per token, paced', unit: 'µs', values: cpu('paced') },
    { name: 'CPU per short stream', unit: 'ms', values: short },
    { name: 'first token later by, median', unit: 'ms', values: added(0.5) },
    { name: 'first token later by, p99', unit: 'ms', values: added(0.99) },
    { name: 'memory, idle', unit: 'MiB', values: noted((note) => note.idleMiB) },
    { name: 'memory, after full speed', unit: 'MiB', values: noted((note) => note.afterMiB) },
    {
      name: 'memory growth, 1,000 streams',
      unit: 'MiB',
      values: noted((note) => ((note.afterMiB - note.warmMiB) * 1000) / note.streams),
    },
  ];
}

function addedMs({ directMs, throughMs }: FirstTokenRound, q: number): number {
  return quantile(throughMs, q) - quantile(directMs, q);
}
