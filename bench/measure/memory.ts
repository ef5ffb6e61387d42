/** What readers that wait hold in memory, and whether sessions that are over leave anything. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Peer, PeerName } from '../peers/peer.ts';
import { readUsage } from '../processes/usage.ts';
import { quantile } from '../report/statistics.ts';
import type { MeasureContext } from './context.ts';

const BYTES_PER_MIB = 1024 * 1024;

/**
 * Time for ended sessions to be purged, which are kept for one second, in ms. workerd keeps a Durable
 * Object for another 10 s after its last request.
 */
const PURGE_MS = { origin: 2_500, edge: 13_000 };

/** Time for a garbage collector, and for the pages it gives back, in ms. */
const COLLECT_MS = 500;

/** Silence that begins before the first reader comes, in ms: it must outlast the measurement. */
const SILENCE_MS = 40_000;

/** Readings that do not count: a heap takes some thousand sessions to find its size. */
const WARM_UPS = 2;

/** Readers that come before those that count, so that their code is compiled. */
const FIRST_READERS = 20;

/** Readers of one silent stream. */
export interface IdleReadersNote {
  readonly peer: PeerName;
  readonly readers: number;
  readonly beforeMiB: number;
  readonly attachedMiB: number;
  readonly bytesPerReader: number;
}

/** Resident memory over many sessions. */
export interface SlopeNote {
  readonly peer: PeerName;
  /** In order, each after `sessions` more; the first two are the warm-up's. */
  readonly rssMiB: readonly number[];
  /** What the program holds after a collection, beside it; empty where that cannot be asked for. */
  readonly heldMiB: readonly number[];
  /** Between two of them. */
  readonly sessions: number;
  /** Median of the slopes between all pairs but the warm-up's (Theil–Sen). */
  readonly bytesPerSession: number;
  /** The same of `heldMiB`. */
  readonly heldBytesPerSession?: number;
}

/** Attaches the readers to a stream of which they see nothing, and cancels it. */
export async function measureIdleReaders(context: MeasureContext): Promise<IdleReadersNote[]> {
  const { plan, progress } = context;
  const notes: IdleReadersNote[] = [];
  for (const peer of context.peersOf('idle-readers')) {
    const readers = peer.name.startsWith('edge') ? plan.idleReaders.edge : plan.idleReaders.origin;
    const job = { events: 1, delayMs: 0, silenceMs: SILENCE_MS, target: peer.target, isIdle: true };
    progress(`idle readers, ${peer.name}`);
    await context.fanOut({ ...job, readers: FIRST_READERS }, peer.name, async () => undefined);
    const beforeMiB = await settledMemory(peer);
    let attachedMiB = 0;
    await context.fanOut({ ...job, readers }, peer.name, async () => {
      attachedMiB = await settledMemory(peer);
    });
    const bytesPerReader = ((attachedMiB - beforeMiB) * BYTES_PER_MIB) / readers;
    notes.push({ peer: peer.name, readers, beforeMiB, attachedMiB, bytesPerReader });
  }
  return notes;
}

/** Runs sessions, lets them be purged, reads memory, and again. */
export async function measureSlope(context: MeasureContext): Promise<SlopeNote[]> {
  const { plan, progress } = context;
  const notes: SlopeNote[] = [];
  for (const peer of context.peersOf('memory-slope')) {
    const host = peer.name.startsWith('origin') ? 'origin' : 'edge';
    const { checkpoints, load } = plan.slope[host];
    const rssMiB: number[] = [];
    const heldMiB: number[] = [];
    for (let at = 1; at <= checkpoints; at += 1) {
      progress(`memory slope, ${peer.name}, ${at * load.streams} sessions`);
      await context.load([peer.target], load, peer.name);
      await sleep(PURGE_MS[host]);
      rssMiB.push(await settledMemory(peer));
      if (peer.heap !== undefined) heldMiB.push(peer.heap.heldMiB());
    }
    const sessions = load.streams;
    notes.push({
      peer: peer.name,
      rssMiB,
      heldMiB,
      sessions,
      bytesPerSession: slopeOf(rssMiB.slice(WARM_UPS), sessions),
      ...(peer.heap === undefined
        ? {}
        : { heldBytesPerSession: slopeOf(heldMiB.slice(WARM_UPS), sessions) }),
    });
  }
  return notes;
}

async function settledMemory({ pid, heap }: Peer): Promise<number> {
  // Some objects are let go of only by the finalisers of others.
  for (let time = 0; heap !== undefined && time < 2; time += 1) {
    heap.collect();
    await sleep(COLLECT_MS);
  }
  await sleep(COLLECT_MS);
  return readUsage(pid).rssMiB;
}

function slopeOf(rssMiB: readonly number[], sessions: number): number {
  const slopes = rssMiB.flatMap((later, at) =>
    rssMiB
      .slice(0, at)
      .map((earlier, from) => ((later - earlier) * BYTES_PER_MIB) / ((at - from) * sessions)),
  );
  return quantile(slopes, 0.5);
}
