/** Runs the loads, round by round, and notes what each server used. */

import type { AuditJob, LoadJob, LoadResult, Target } from './load/job.ts';
import type { Peer, PeerName } from './peers/peer.ts';
import type { BenchPlan, LoadPlan } from './plan.ts';
import type { Child } from './processes/children.ts';
import { readUsage } from './processes/usage.ts';

/** One load on one server. */
interface LoadRound {
  readonly load: 'full' | 'paced';
  readonly peer: PeerName;
  /** From 1. */
  readonly round: number;
  readonly tokens: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly cpuUsPerToken: number;
}

/** Streams through one server, each beside one straight to the vendor. */
export interface FirstTokenRound {
  readonly peer: PeerName;
  readonly round: number;
  readonly directMs: readonly number[];
  readonly throughMs: readonly number[];
  /** CPU of the server over all of its streams. */
  readonly cpuMs: number;
  readonly cpuMsPerStream: number;
}

/** Resident memory of one server, in MiB. */
interface MemoryNote {
  readonly peer: PeerName;
  readonly idleMiB: number;
  /** After the warm-up, before the full-speed rounds. */
  readonly warmMiB: number;
  /** After the full-speed rounds. */
  readonly afterMiB: number;
  /** Streams between `warmMiB` and `afterMiB`. */
  readonly streams: number;
}

/** Everything that was measured. */
export interface Measurements {
  readonly loads: readonly LoadRound[];
  readonly firstTokens: readonly FirstTokenRound[];
  readonly memory: readonly MemoryNote[];
  readonly failures: readonly string[];
}

/** What a measurement needs. */
export interface MeasureOptions {
  readonly plan: BenchPlan;
  readonly peers: readonly Peer[];
  readonly vendorUrl: string;
  /** The load generator. */
  readonly generator: Child;
  readonly stop: AbortSignal;
  /** Takes a line about how far it has come. */
  readonly progress: (line: string) => void;
}

/**
 * Measures. Servers take turns within each round (A B A B), so that what else the machine does
 * meets all of them alike.
 */
export async function measure(options: MeasureOptions): Promise<Measurements> {
  const { plan, peers, generator, stop, progress } = options;
  const failures: string[] = [];

  async function ask(job: LoadJob | AuditJob, name: string): Promise<LoadResult> {
    stop.throwIfAborted();
    generator.send(job);
    const result = (await generator.message()) as LoadResult;
    failures.push(...result.failures.map((failure) => `${name}: ${failure}`));
    return result;
  }

  const load = (targets: readonly Target[], size: LoadPlan, name: string) =>
    ask({ type: 'load', targets, ...size }, name);

  async function measureLoad(kind: LoadRound['load'], peer: Peer, round: number) {
    const before = readUsage(peer.pid).cpuMs;
    const { tokens, wallMs } = await load([peer.target], plan[kind], peer.name);
    const cpuMs = readUsage(peer.pid).cpuMs - before;
    const cpuUsPerToken = (cpuMs * 1000) / tokens;
    return { load: kind, peer: peer.name, round, tokens, cpuMs, wallMs, cpuUsPerToken };
  }

  async function measureLoads(kind: LoadRound['load']): Promise<LoadRound[]> {
    const rounds: LoadRound[] = [];
    for (let round = 1; round <= plan.rounds; round += 1) {
      progress(`${kind} load, round ${round} of ${plan.rounds}`);
      for (const peer of peers) rounds.push(await measureLoad(kind, peer, round));
    }
    return rounds;
  }

  async function measureFirstTokens(): Promise<FirstTokenRound[]> {
    const rounds: FirstTokenRound[] = [];
    const vendor: Target = { kind: 'direct', baseUrl: options.vendorUrl };
    for (let round = 1; round <= plan.rounds; round += 1) {
      progress(`first token, round ${round} of ${plan.rounds}`);
      for (const peer of peers) {
        const before = readUsage(peer.pid).cpuMs;
        const result = await load([vendor, peer.target], plan.firstToken, peer.name);
        const cpuMs = readUsage(peer.pid).cpuMs - before;
        const cpuMsPerStream = cpuMs / plan.firstToken.streams;
        const [directMs = [], throughMs = []] = result.firstTokenMs;
        rounds.push({ peer: peer.name, round, directMs, throughMs, cpuMs, cpuMsPerStream });
      }
    }
    return rounds;
  }

  const memoryOf = () => peers.map(({ pid }) => readUsage(pid).rssMiB);
  const idle = memoryOf();
  progress('warm-up');
  for (const peer of peers) await load([peer.target], plan.warmUp, peer.name);
  const warm = memoryOf();
  const full = await measureLoads('full');
  const after = memoryOf();
  const paced = await measureLoads('paced');
  const firstTokens = await measureFirstTokens();
  await ask({ type: 'audit' }, 'audit');
  const memory = peers.map(({ name }, at) => ({
    peer: name,
    idleMiB: idle[at] ?? 0,
    warmMiB: warm[at] ?? 0,
    afterMiB: after[at] ?? 0,
    streams: plan.rounds * plan.full.streams,
  }));
  return { loads: [...full, ...paced], firstTokens, memory, failures };
}
