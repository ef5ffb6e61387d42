/** Keeps the lexical index small beside the requests: one merge at a time. */

import type { Logger } from '@headwater/shared/stream/ports';
import type { Database } from '../database/database.ts';
import { mergeCollection } from './merge-segments.ts';

/** Merges what was written to. */
export interface SegmentKeeper {
  /** A collection has changed. Never waits and never throws. */
  changed(collectionId: number): void;
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>;
  /** Gives up what was begun. */
  close(): Promise<void>;
}

export function createSegmentKeeper(ports: {
  readonly database: Database;
  readonly logger: Logger;
  nowMs(): number;
}): SegmentKeeper {
  const { database, logger, nowMs } = ports;
  const stop = new AbortController();
  const waiting = new Set<number>();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    for (const collectionId of waiting) {
      if (stop.signal.aborted) break;
      waiting.delete(collectionId);
      try {
        await mergeCollection({ database, nowMs, stop: stop.signal }, collectionId);
      } catch (err) {
        // The index is whole, only larger than it need be; the next change tries again.
        logger.warn({ collectionId, err }, 'segments were not merged');
      }
    }
    running = undefined;
  }

  return {
    changed(collectionId) {
      if (stop.signal.aborted) return;
      waiting.add(collectionId);
      running ??= run();
    },
    async idle() {
      await running;
    },
    async close() {
      stop.abort();
      await running;
    },
  };
}
