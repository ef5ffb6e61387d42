/** Readers that other instances have of the streams that this one owns. */

/** A count that is not said again within this time is void, in ms: three reports. */
const FORGET_MS = 3_000;

/** Counts by stream and instance. */
export interface RemoteReaders {
  /** An instance has so many readers of a stream. Returns the sum over all instances. */
  report(streamId: string, from: string, count: number): number;
  /** The sum over all instances. */
  sumOf(streamId: string): number;
  /** Forgets what was not said again; calls `changed` for each stream whose sum is another now. */
  sweep(changed: (streamId: string, sum: number) => void): void;
  drop(streamId: string): void;
}

/** Makes an empty count. */
export function createRemoteReaders(nowMs: () => number): RemoteReaders {
  const streams = new Map<string, Map<string, { readonly count: number; readonly atMs: number }>>();

  const sumOf = (streamId: string): number => {
    let sum = 0;
    for (const { count } of streams.get(streamId)?.values() ?? []) sum += count;
    return sum;
  };

  return {
    sumOf,
    report(streamId, from, count) {
      const instances = streams.get(streamId) ?? new Map();
      streams.set(streamId, instances);
      if (count > 0) instances.set(from, { count, atMs: nowMs() });
      else instances.delete(from);
      if (instances.size === 0) streams.delete(streamId);
      return sumOf(streamId);
    },
    sweep(changed) {
      const before = nowMs() - FORGET_MS;
      for (const [streamId, instances] of streams) {
        const { size } = instances;
        for (const [from, { atMs }] of instances) if (atMs < before) instances.delete(from);
        if (instances.size === size) continue;
        if (instances.size === 0) streams.delete(streamId);
        changed(streamId, sumOf(streamId));
      }
    },
    drop: (streamId) => void streams.delete(streamId),
  };
}
