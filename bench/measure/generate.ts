/** Whole answers by `/ai/generate`, each beside one straight to the vendor. */

import type { Target } from '../load/job.ts';
import type { Peer, PeerName } from '../peers/peer.ts';
import type { LoadPlan } from '../plan.ts';
import type { MeasureContext } from './context.ts';

/** Answers of one round. */
export interface GenerateRound {
  readonly peer: PeerName;
  /** From 1. */
  readonly round: number;
  /** Answers asked for at the same time. */
  readonly concurrency: number;
  /** Time to the end of each answer. */
  readonly directMs: readonly number[];
  readonly throughMs: readonly number[];
}

/** All rounds, one at a time and several at once, after one that does not count. */
export async function measureGenerate(context: MeasureContext): Promise<GenerateRound[]> {
  const { plan, progress, vendorUrl } = context;
  const { load: size, concurrencies } = plan.generate;
  const vendor: Target = { kind: 'whole', baseUrl: vendorUrl };
  const rounds: GenerateRound[] = [];
  const peers = context.peersOf('ai-generate');

  function ask({ name, target: { kind, baseUrl } }: Peer, load: LoadPlan) {
    // What is no gateway passes the vendor's own request on.
    const own: Target = { kind: kind === 'gateway' ? 'generate' : 'whole', baseUrl };
    return context.load([vendor, own], load, name);
  }

  progress('/ai/generate, warm-up');
  for (const peer of peers) await ask(peer, { ...size, concurrency: Math.max(...concurrencies) });
  for (let round = 1; round <= plan.rounds; round += 1) {
    progress(`/ai/generate, round ${round} of ${plan.rounds}`);
    for (const concurrency of concurrencies) {
      for (const peer of peers) {
        const { firstTokenMs } = await ask(peer, { ...size, concurrency });
        const [directMs = [], throughMs = []] = firstTokenMs;
        rounds.push({ peer: peer.name, round, concurrency, directMs, throughMs });
      }
    }
  }
  return rounds;
}
