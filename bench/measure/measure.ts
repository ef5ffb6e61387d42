/** Runs the parts of the scorecard that were asked for, one after the other. */

import type { PeerName } from '../peers/peer.ts';
import { readUsage } from '../processes/usage.ts';
import type { Row } from '../rows.ts';
import { createContext, type MeasureOptions } from './context.ts';
import { type FanOutRound, measureFanOut } from './fan-out.ts';
import { type GenerateRound, measureGenerate } from './generate.ts';
import { type FirstTokenRound, type LoadRound, measureFirstTokens, measureLoads } from './loads.ts';
import {
  type IdleReadersNote,
  measureIdleReaders,
  measureSlope,
  type SlopeNote,
} from './memory.ts';

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

/** Everything that was measured; empty where it was not asked for. */
export interface Measurements {
  readonly loads: readonly LoadRound[];
  readonly firstTokens: readonly FirstTokenRound[];
  readonly generate: readonly GenerateRound[];
  readonly memory: readonly MemoryNote[];
  readonly fanOut: readonly FanOutRound[];
  readonly idleReaders: readonly IdleReadersNote[];
  readonly slopes: readonly SlopeNote[];
  readonly failures: readonly string[];
}

/**
 * Measures. Servers take turns within each round (A B A B), so that what else the machine does
 * meets all of them alike.
 */
export async function measure(
  options: MeasureOptions,
  rows: readonly Row[],
): Promise<Measurements> {
  const context = createContext(options);
  const { plan, progress } = options;
  const wants = (row: Row) => rows.includes(row);
  const relays = context.peersOf('full');
  const memoryOf = () => relays.map(({ pid }) => readUsage(pid).rssMiB);

  const idle = memoryOf();
  if (wants('full') || wants('paced') || wants('first-token')) {
    progress('warm-up');
    for (const { target, name } of relays) await context.load([target], plan.warmUp, name);
  }
  const warm = memoryOf();
  const full = wants('full') ? await measureLoads(context, 'full') : [];
  const after = memoryOf();
  const paced = wants('paced') ? await measureLoads(context, 'paced') : [];
  const firstTokens = wants('first-token') ? await measureFirstTokens(context) : [];
  const generate = wants('ai-generate') ? await measureGenerate(context) : [];
  // Before the fan-out: Nchan keeps for later readers what the first ones took.
  const idleReaders = wants('idle-readers') ? await measureIdleReaders(context) : [];
  const fanOut = wants('fan-out') ? await measureFanOut(context) : [];
  const slopes = wants('memory-slope') ? await measureSlope(context) : [];
  await context.audit();
  const memory = relays.map(({ name }, at) => ({
    peer: name,
    idleMiB: idle[at] ?? 0,
    warmMiB: warm[at] ?? 0,
    afterMiB: after[at] ?? 0,
    streams: plan.rounds * plan.full.streams,
  }));
  return {
    loads: [...full, ...paced],
    firstTokens,
    generate,
    memory: wants('full') ? memory : [],
    fanOut,
    idleReaders,
    slopes,
    failures: context.failures,
  };
}
