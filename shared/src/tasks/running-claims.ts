/** Claims for the hands of a node that are free: those of one type together, one call at a time. */

import type { Clock } from '../stream/ports.ts';
import type { Outage } from './outage.ts';
import type { TaskStore } from './ports.ts';
import type { TaskRecord } from './task.ts';

/** What the claims are wired to. */
export interface RunningClaimsPorts {
  readonly store: Pick<TaskStore, 'claim'>;
  readonly node: string;
  readonly clock: Clock;
  readonly outage: Outage;
  /** Most tasks of one call: the store works on the next ones while these are begun. */
  readonly maxAtOnce: number;
}

/** The claims of one node. */
export interface RunningClaims {
  /** The next task of the type; `undefined` where there is none, or the store refuses. */
  claim(type: string): Promise<TaskRecord | undefined>;
  /** When the oldest call that is not answered yet began; `undefined` where there is none. */
  readonly oldestMs: number | undefined;
}

/** One who waits for a task. */
type Waiting = (record: TaskRecord | undefined) => void;

/** Makes a node's claims. */
export function createRunningClaims(ports: RunningClaimsPorts): RunningClaims {
  const { store, node, clock, outage } = ports;
  /** By type; there is a list as long as a call is under way. */
  const waiting = new Map<string, Waiting[]>();
  const begun = new Map<string, number>();

  async function ask(type: string, limit: number): Promise<readonly TaskRecord[]> {
    const nowMs = clock.nowMs();
    begun.set(type, nowMs);
    try {
      const records = await store.claim(type, node, limit, nowMs);
      outage.worked();
      return records;
    } catch (err) {
      // The hands are free again; the keeper sees what still waits, and offers it anew.
      outage.failed(err);
      return [];
    } finally {
      begun.delete(type);
    }
  }

  async function serve(type: string, list: Waiting[]): Promise<void> {
    // Those who ask in the same turn ask together.
    await null;
    while (list.length > 0) {
      const asking = list.splice(0, ports.maxAtOnce);
      const records = await ask(type, asking.length);
      for (const [at, resolve] of asking.entries()) resolve(records[at]);
    }
    waiting.delete(type);
  }

  return {
    claim(type) {
      return new Promise((resolve) => {
        const list = waiting.get(type);
        if (list !== undefined) {
          list.push(resolve);
          return;
        }
        const first = [resolve];
        waiting.set(type, first);
        void serve(type, first);
      });
    },
    get oldestMs() {
      return begun.size === 0 ? undefined : Math.min(...begun.values());
    },
  };
}
