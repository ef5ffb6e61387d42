/** What every measurement works with. */

import type {
  AuditJob,
  FanOutJob,
  FanOutResult,
  LoadJob,
  LoadResult,
  ReadersGo,
  Target,
} from '../load/job.ts';
import type { Peer, PeerName } from '../peers/peer.ts';
import type { BenchPlan, LoadPlan } from '../plan.ts';
import type { Child } from '../processes/children.ts';
import type { Row } from '../rows.ts';
import { SERVERS } from '../rows.ts';

/** What a measurement needs. */
export interface MeasureOptions {
  readonly plan: BenchPlan;
  /** All that run; each row takes its own. */
  readonly peers: readonly Peer[];
  readonly vendorUrl: string;
  /** The load generator. */
  readonly generator: Child;
  readonly stop: AbortSignal;
  /** Takes a line about how far it has come. */
  readonly progress: (line: string) => void;
}

/** The options, and ways to ask the load generator. */
export interface MeasureContext extends MeasureOptions {
  /** The running servers of a row, in their order. */
  peersOf(row: Row): readonly Peer[];
  /** One load; what went wrong is noted under the server's name. */
  load(targets: readonly Target[], size: LoadPlan, name: PeerName): Promise<LoadResult>;
  /** Many readers of one stream; `whileAttached` runs while all are there and none has an event. */
  fanOut(
    job: Omit<FanOutJob, 'type'>,
    name: PeerName,
    whileAttached: () => Promise<void>,
  ): Promise<FanOutResult>;
  /** Looks once more for callbacks that came twice. */
  audit(): Promise<void>;
  readonly failures: readonly string[];
}

/** Adds them. */
export function createContext(options: MeasureOptions): MeasureContext {
  const { peers, generator, stop } = options;
  const failures: string[] = [];

  function note<Result extends { readonly failures: readonly string[] }>(
    result: Result,
    name: string,
  ): Result {
    failures.push(...result.failures.map((failure) => `${name}: ${failure}`));
    return result;
  }

  async function ask(job: LoadJob | FanOutJob | AuditJob): Promise<unknown> {
    stop.throwIfAborted();
    generator.send(job);
    return generator.message();
  }

  return {
    ...options,
    failures,
    peersOf: (row) =>
      SERVERS[row].flatMap((name) => peers.find((peer) => peer.name === name) ?? []),
    async load(targets, size, name) {
      return note((await ask({ type: 'load', targets, ...size })) as LoadResult, name);
    },
    async fanOut(job, name, whileAttached) {
      await ask({ type: 'fan-out', ...job });
      await whileAttached();
      generator.send({ type: 'go' } satisfies ReadersGo);
      return note((await generator.message()) as FanOutResult, name);
    },
    async audit() {
      note((await ask({ type: 'audit' })) as LoadResult, 'audit');
    },
  };
}
