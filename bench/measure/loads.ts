/** Streams with one reader each: what they cost, and how much later their first token is. */

import type { Target } from '../load/job.ts';
import type { Peer, PeerName } from '../peers/peer.ts';
import { readUsage } from '../processes/usage.ts';
import type { MeasureContext } from './context.ts';

/** One load on one server. */
export interface LoadRound {
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

/** All rounds of one load; servers take turns within a round. */
export async function measureLoads(
  context: MeasureContext,
  kind: LoadRound['load'],
): Promise<LoadRound[]> {
  const { plan, progress } = context;

  async function measure({ pid, target, name }: Peer, round: number): Promise<LoadRound> {
    const before = readUsage(pid).cpuMs;
    const { tokens, wallMs } = await context.load([target], plan[kind], name);
    const cpuMs = readUsage(pid).cpuMs - before;
    return {
      load: kind,
      peer: name,
      round,
      tokens,
      cpuMs,
      wallMs,
      cpuUsPerToken: (cpuMs * 1000) / tokens,
    };
  }

  const rounds: LoadRound[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    progress(`${kind} load, round ${round} of ${plan.rounds}`);
    for (const peer of context.peersOf(kind)) rounds.push(await measure(peer, round));
  }
  return rounds;
}

/** All rounds of first tokens. */
export async function measureFirstTokens(context: MeasureContext): Promise<FirstTokenRound[]> {
  const { plan, progress, vendorUrl } = context;
  const vendor: Target = { kind: 'direct', baseUrl: vendorUrl };
  const rounds: FirstTokenRound[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    progress(`first token, round ${round} of ${plan.rounds}`);
    for (const peer of context.peersOf('first-token')) {
      const before = readUsage(peer.pid).cpuMs;
      const result = await context.load([vendor, peer.target], plan.firstToken, peer.name);
      const cpuMs = readUsage(peer.pid).cpuMs - before;
      const cpuMsPerStream = cpuMs / plan.firstToken.streams;
      const [directMs = [], throughMs = []] = result.firstTokenMs;
      rounds.push({ peer: peer.name, round, directMs, throughMs, cpuMs, cpuMsPerStream });
    }
  }
  return rounds;
}
