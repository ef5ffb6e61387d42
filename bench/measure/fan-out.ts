/** One stream, many readers: what an event costs that is delivered to one of them. */

import type { PeerName } from '../peers/peer.ts';
import { readUsage } from '../processes/usage.ts';
import type { MeasureContext } from './context.ts';

/** One stream of one server. */
export interface FanOutRound {
  readonly peer: PeerName;
  /** From 1; 0 is the warm-up, which no row counts. */
  readonly round: number;
  readonly readers: number;
  /** Events, summed over the readers. */
  readonly delivered: number;
  readonly bytes: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly cpuUsPerEvent: number;
}

/**
 * Measures from when all readers are attached to when each has read the last event: on the gateway
 * with the vendor's stream read, logged and called back, on Nchan with the publisher's requests.
 */
export async function measureFanOut(context: MeasureContext): Promise<FanOutRound[]> {
  const { plan, progress } = context;
  const rounds: FanOutRound[] = [];
  for (let round = 0; round <= plan.rounds; round += 1) {
    progress(round === 0 ? 'fan-out, warm-up' : `fan-out, round ${round} of ${plan.rounds}`);
    for (const { name, pid, target } of context.peersOf('fan-out')) {
      let before = 0;
      // A single round compiles the code: fewer events serve.
      const events = round === 0 ? Math.ceil(plan.fanOut.events / 4) : plan.fanOut.events;
      const job = { ...plan.fanOut, events, target, isIdle: false };
      const { delivered, bytes, wallMs } = await context.fanOut(job, name, async () => {
        before = readUsage(pid).cpuMs;
      });
      const cpuMs = readUsage(pid).cpuMs - before;
      const { readers } = job;
      const cpuUsPerEvent = (cpuMs * 1000) / delivered;
      rounds.push({ peer: name, round, readers, delivered, bytes, wallMs, cpuMs, cpuUsPerEvent });
    }
  }
  return rounds.filter(({ round }) => round > 0);
}
