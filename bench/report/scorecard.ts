/** From measurements to the rows of the scorecard. Pure. */

import type { GenerateRound } from '../measure/generate.ts';
import type { FirstTokenRound } from '../measure/loads.ts';
import type { Measurements } from '../measure/measure.ts';
import type { PeerName } from '../peers/peer.ts';
import { GENERATE_AT_ONCE } from '../plan.ts';
import { RETRIEVAL_FIGURES, type RetrievalRound } from '../retrieval/retrieval-round.ts';
import { TASK_FIGURES, type TaskRound } from '../tasks/task-round.ts';
import { quantile, type Spread, spreadOf } from './statistics.ts';
import { judge, type Server, type Verdict } from './targets.ts';

/** One row. */
export interface ScoreRow {
  /** What was measured. */
  readonly name: string;
  readonly peer: Server;
  readonly unit: string;
  readonly spread: Spread;
  /** What the figure itself must be, and whether it is. */
  readonly target?: Verdict;
  /** The same of each peer, and how many times it the gateway's is. */
  readonly beside: readonly BesideCell[];
}

/** A peer's figure, or the reason why there is none. */
export type BesideCell =
  | {
      readonly peer: Server;
      readonly spread: Spread;
      /** Median of the ratios of each round, or of the medians where there is one value only. */
      readonly ratio: number;
      readonly target?: Verdict;
    }
  | { readonly peer: Server; readonly missing: string };

interface Figure {
  readonly name: string;
  readonly unit: string;
  /** Whom it is shown of, and beside whom. */
  readonly sides: Readonly<Partial<Record<Server, readonly Server[]>>>;
  /** One value a round. */
  values(peer: Server): readonly number[];
}

/** Relays on the same runtime, and the two that people put there. */
const RELAYS: Figure['sides'] = {
  origin: ['node pipe', 'nginx', 'Portkey'],
  edge: ['workerd pipe', 'workerd script pipe', 'workerd object pipe'],
};

/** A first token's bound is nginx', wherever it passed. */
const FIRST_TOKEN: Figure['sides'] = {
  origin: ['node pipe', 'nginx', 'Portkey'],
  edge: ['workerd pipe', 'workerd script pipe', 'workerd object pipe', 'nginx'],
};

/** What workerd keeps of any object is not the gateway's to forget. */
const KEPT: Figure['sides'] = {
  'origin, small': [],
  'edge, small': ['workerd object pipe, small'],
};

/** All rows: each figure of each gateway, beside its peers. Without rows where nothing was measured. */
export function scorecardOf(
  measured: Measurements,
  missing: Readonly<Partial<Record<PeerName, string>>>,
  tasks: readonly TaskRound[],
  retrieval: readonly RetrievalRound[],
): ScoreRow[] {
  const figures = [
    ...figuresOf(measured),
    ...taskFiguresOf(tasks),
    ...retrievalFiguresOf(retrieval),
  ];
  return figures.flatMap((figure) =>
    (Object.keys(figure.sides) as Server[])
      .filter((peer) => figure.values(peer).length > 0)
      .map((peer) => rowOf(figure, peer, missing)),
  );
}

function rowOf(
  figure: Figure,
  gateway: Server,
  missing: Readonly<Partial<Record<Server, string>>>,
): ScoreRow {
  const { name, unit, sides, values } = figure;
  const own = { peer: gateway, values: values(gateway) };
  const beside = (sides[gateway] ?? []).map((peer): BesideCell => {
    const reason = missing[peer];
    if (reason !== undefined) return { peer, missing: reason };
    const theirs = { peer, values: values(peer) };
    const ratios =
      theirs.values.length === own.values.length
        ? own.values.map((value, round) => value / (theirs.values[round] ?? Number.NaN))
        : [quantile(own.values, 0.5) / quantile(theirs.values, 0.5)];
    const target = judge(figure, own, theirs);
    return {
      peer,
      spread: spreadOf(theirs.values),
      ratio: quantile(ratios, 0.5),
      ...(target === undefined ? {} : { target }),
    };
  });
  const target = judge(figure, own);
  const spread = spreadOf(own.values);
  return { name, peer: gateway, unit, spread, ...(target === undefined ? {} : { target }), beside };
}

function figuresOf(measured: Measurements): Figure[] {
  const { loads, firstTokens, generate, memory, fanOut, idleReaders, slopes } = measured;
  const cpu = (load: 'full' | 'paced') => loads.filter((round) => round.load === load);
  return [
    {
      name: 'CPU per token, full speed',
      unit: 'µs',
      sides: RELAYS,
      values: valuesOf(cpu('full'), (round) => round.cpuUsPerToken),
    },
    {
      name: 'CPU per token, paced',
      unit: 'µs',
      sides: RELAYS,
      values: valuesOf(cpu('paced'), (round) => round.cpuUsPerToken),
    },
    {
      name: 'CPU per short stream',
      unit: 'ms',
      sides: RELAYS,
      values: valuesOf(firstTokens, (round) => round.cpuMsPerStream),
    },
    {
      name: 'first token later by, median',
      unit: 'ms',
      sides: FIRST_TOKEN,
      values: valuesOf(firstTokens, (round) => addedMs(round, 0.5)),
    },
    {
      name: 'first token later by, p99',
      unit: 'ms',
      sides: FIRST_TOKEN,
      values: valuesOf(firstTokens, (round) => addedMs(round, 0.99)),
    },
    ...GENERATE_AT_ONCE.map((concurrency) => ({
      name: `/ai/generate later by, ${concurrency} at once`,
      unit: 'ms',
      sides: { origin: ['node pipe'] as const },
      values: valuesOf(
        generate.filter((round) => round.concurrency === concurrency),
        (round) => addedMs(round, 0.5),
      ),
    })),
    {
      name: 'CPU per delivered event',
      unit: 'µs',
      sides: { origin: ['Nchan'] },
      values: valuesOf(fanOut, (round) => round.cpuUsPerEvent),
    },
    {
      name: 'memory per idle reader',
      unit: 'KiB',
      sides: { 'origin, small': ['Nchan'], 'edge, small': ['Nchan'] },
      values: valuesOf(idleReaders, (note) => note.bytesPerReader / 1024),
    },
    {
      name: 'memory kept per session',
      unit: 'KiB',
      sides: KEPT,
      values: valuesOf(slopes, (note) => note.bytesPerSession / 1024),
    },
    {
      name: 'heap kept per session',
      unit: 'KiB',
      sides: { 'origin, small': [] },
      values: valuesOf(slopes, (note) => (note.heldBytesPerSession ?? Number.NaN) / 1024),
    },
    {
      name: 'memory, idle',
      unit: 'MiB',
      sides: RELAYS,
      values: valuesOf(memory, (note) => note.idleMiB),
    },
    {
      name: 'memory, after full speed',
      unit: 'MiB',
      sides: RELAYS,
      values: valuesOf(memory, (note) => note.afterMiB),
    },
    {
      name: 'memory growth, 1,000 streams',
      unit: 'MiB',
      sides: RELAYS,
      values: valuesOf(memory, (note) => ((note.afterMiB - note.warmMiB) * 1000) / note.streams),
    },
  ];
}

/** Without peers that were not measured: some are, in a default run only. */
function taskFiguresOf(rounds: readonly TaskRound[]): Figure[] {
  return Object.entries(TASK_FIGURES).map(([key, { name, unit, beside }]) => {
    const values: Figure['values'] = (peer) =>
      rounds
        .filter(({ figure, server }) => figure === key && server === peer)
        .map(({ value }) => value);
    return {
      name,
      unit,
      sides: { cluster: beside.filter((peer) => values(peer).length > 0) },
      values,
    };
  });
}

function retrievalFiguresOf(rounds: readonly RetrievalRound[]): Figure[] {
  return Object.entries(RETRIEVAL_FIGURES).map(([key, { name, unit }]) => {
    const values: Figure['values'] = (peer) =>
      rounds
        .filter(({ figure, server }) => figure === key && server === peer)
        .map(({ value }) => value);
    const beside = values('MiniSearch').length > 0 ? (['MiniSearch'] as const) : [];
    return { name, unit, sides: { library: beside }, values };
  });
}

function valuesOf<Note extends { readonly peer: PeerName }>(
  notes: readonly Note[],
  read: (note: Note) => number,
): Figure['values'] {
  return (peer) => notes.filter((note) => note.peer === peer).map(read);
}

function addedMs({ directMs, throughMs }: FirstTokenRound | GenerateRound, q: number): number {
  return quantile(throughMs, q) - quantile(directMs, q);
}
