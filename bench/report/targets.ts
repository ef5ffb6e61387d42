/** What the figures must be. */

import type { PeerName } from '../peers/peer.ts';
import type { RetrievalServer } from '../retrieval/retrieval-round.ts';
import type { TaskServer } from '../tasks/task-round.ts';
import { quantile } from './statistics.ts';

/** Whose figure it is. */
export type Server = PeerName | TaskServer | RetrievalServer;

/** One bound on one figure of one server. */
interface Bound {
  /** Name of the figure. */
  readonly figure: string;
  readonly server: Server;
  /** Beside whom; none where the figure itself is bound. */
  readonly beside?: Server;
  /**
   * `times`: at most so many times the other's. `plus`: at most so much above the other's. `value`:
   * at most that. `no growth`: at most that, which is what a measurement of nothing may show.
   * `least times`, `least value`: at least. `worst`: at most that in every round.
   */
  readonly kind: 'times' | 'plus' | 'value' | 'no growth' | 'least times' | 'least value' | 'worst';
  readonly limit: number;
}

/** A bound, and whether a run kept it. */
export interface Verdict {
  readonly text: string;
  readonly met: boolean;
}

const BOUNDS: readonly Bound[] = [
  {
    figure: 'CPU per token, full speed',
    server: 'origin',
    beside: 'Portkey',
    kind: 'times',
    limit: 0.5,
  },
  {
    figure: 'CPU per token, full speed',
    server: 'origin',
    beside: 'nginx',
    kind: 'times',
    limit: 5,
  },
  {
    figure: 'CPU per token, full speed',
    server: 'edge',
    beside: 'workerd script pipe',
    kind: 'times',
    limit: 1.5,
  },
  {
    figure: 'CPU per token, paced',
    server: 'origin',
    beside: 'Portkey',
    kind: 'times',
    limit: 0.6,
  },
  {
    figure: 'CPU per token, paced',
    server: 'edge',
    beside: 'workerd script pipe',
    kind: 'times',
    limit: 3,
  },
  { figure: 'first token later by, median', server: 'origin', kind: 'value', limit: 3 },
  { figure: 'first token later by, median', server: 'edge', kind: 'value', limit: 3 },
  {
    figure: 'first token later by, p99',
    server: 'origin',
    beside: 'nginx',
    kind: 'plus',
    limit: 10,
  },
  { figure: 'first token later by, p99', server: 'edge', beside: 'nginx', kind: 'plus', limit: 10 },
  { figure: '/ai/generate later by, 1 at once', server: 'origin', kind: 'value', limit: 3 },
  { figure: 'CPU per delivered event', server: 'origin', beside: 'Nchan', kind: 'times', limit: 2 },
  // 20 MiB over 10,000 sessions: what V8 gives back at one reading and not at the next.
  {
    figure: 'memory kept per session',
    server: 'origin, small',
    kind: 'no growth',
    limit: 2,
  },
  { figure: 'memory kept per session', server: 'edge, small', kind: 'no growth', limit: 2 },
  // What is held is known to the byte: a session's log, state and callback would be many times that.
  { figure: 'heap kept per session', server: 'origin, small', kind: 'no growth', limit: 0.5 },
  {
    figure: 'tasks accepted',
    server: 'cluster',
    beside: 'BullMQ',
    kind: 'least times',
    limit: 0.6,
  },
  {
    figure: 'no-op tasks finished',
    server: 'cluster',
    beside: 'BullMQ',
    kind: 'least times',
    limit: 0.8,
  },
  { figure: 'child killed, task goes on after', server: 'cluster', kind: 'worst', limit: 1 },
  { figure: 'node killed, task goes on after', server: 'cluster', kind: 'worst', limit: 10 },
  { figure: 'canceled work stopped after, p99', server: 'cluster', kind: 'value', limit: 500 },
  { figure: 'fairness, Jain index', server: 'cluster', kind: 'least value', limit: 0.95 },
  { figure: 'event loop delay, p99', server: 'cluster', kind: 'value', limit: 20 },
  {
    figure: 'right passage found first',
    server: 'library',
    beside: 'MiniSearch',
    kind: 'least times',
    limit: 1,
  },
  {
    figure: 'right passage among five',
    server: 'library',
    beside: 'MiniSearch',
    kind: 'least times',
    limit: 1,
  },
  {
    figure: 'mean reciprocal rank',
    server: 'library',
    beside: 'MiniSearch',
    kind: 'least times',
    limit: 1,
  },
  { figure: 'search of 100,000 passages, p95', server: 'library', kind: 'value', limit: 50 },
];

/** Judges the values of a figure, one a round; `undefined` where nothing is asked of it. */
export function judge(
  figure: { readonly name: string; readonly unit: string },
  own: { readonly peer: Server; readonly values: readonly number[] },
  other?: { readonly peer: Server; readonly values: readonly number[] },
): Verdict | undefined {
  const bound = BOUNDS.find(
    ({ figure: name, server, beside }) =>
      name === figure.name && server === own.peer && beside === other?.peer,
  );
  if (bound === undefined) return undefined;
  const { kind, limit } = bound;
  // Within a round both met the same machine.
  const pairs = own.values.map((value, round) => ({
    value,
    beside: other?.values[round] ?? Number.NaN,
  }));
  const median = (of: (pair: (typeof pairs)[number]) => number) => {
    const values = pairs.map(of);
    // Where nothing arrived there is no figure, and what is no figure keeps no bound.
    const isMeasured = pairs.every(
      (pair) =>
        Number.isFinite(pair.value) && (other === undefined || Number.isFinite(pair.beside)),
    );
    return isMeasured ? quantile(values, 0.5) : Number.NaN;
  };
  switch (kind) {
    case 'times':
      return { text: `≤ ${limit} ×`, met: median(({ value, beside }) => value / beside) <= limit };
    case 'plus':
      return {
        text: `≤ + ${limit} ${figure.unit}`,
        met: median(({ value, beside }) => value - beside) <= limit,
      };
    case 'value':
      return { text: `≤ ${limit} ${figure.unit}`, met: median(({ value }) => value) <= limit };
    case 'no growth':
      return {
        text: `≈ 0 (≤ ${limit} ${figure.unit})`,
        met: median(({ value }) => value) <= limit,
      };
    case 'least times':
      return { text: `≥ ${limit} ×`, met: median(({ value, beside }) => value / beside) >= limit };
    case 'least value':
      return {
        text: `≥ ${limit} ${figure.unit}`.trimEnd(),
        met: median(({ value }) => value) >= limit,
      };
    case 'worst': {
      const worst = Math.max(...own.values);
      return {
        text: `each ≤ ${limit} ${figure.unit}`,
        met: own.values.length > 0 && worst <= limit,
      };
    }
  }
}
