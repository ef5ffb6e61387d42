/** Compares what a node runs with what the store says it has. */

import type { Clock, MaybePromise } from '../stream/ports.ts';
import type { TaskStore } from './ports.ts';
import type { RunningAttempt } from './running-attempt.ts';
import type { RunningClaims } from './running-claims.ts';

/** What the look is wired to. */
export interface RunningLookPorts {
  readonly store: Pick<TaskStore, 'held'>;
  readonly node: string;
  readonly clock: Clock;
  /** Attempts under way, by task. */
  readonly running: ReadonlyMap<string, RunningAttempt>;
  readonly claims: Pick<RunningClaims, 'oldestMs'>;
  /** Gives back a task that this node has, and knows nothing of. */
  giveBack(id: string): MaybePromise<void>;
}

/**
 * Makes a look: it stops what the store says someone else has, and gives back what it says this
 * node has, and has not. One at a time; a call during a look makes it look again. Errors: what the
 * store throws.
 */
export function createRunningLook(ports: RunningLookPorts): () => Promise<void> {
  const { store, node, clock, running, claims } = ports;
  /** Tasks that the store gives to this node, and the node does not know: since when it sees them. */
  let unknown = new Map<string, number>();
  let looking: Promise<void> | undefined;
  let mustLook = false;

  async function look(): Promise<void> {
    const askedMs = clock.nowMs();
    const mine = [...running.values()];
    const held = new Set(await store.held(node));
    for (const attempt of mine) {
      // One that is decided hears from its commit.
      if (!attempt.isDecided && !held.has(attempt.id)) attempt.lose();
    }
    const before = unknown;
    unknown = new Map();
    for (const id of held) {
      if (running.has(id)) continue;
      const sinceMs = before.get(id) ?? askedMs;
      // A claim whose answer is on its way looks the same, and so does an end that was just kept.
      const isForgotten = sinceMs < askedMs && sinceMs < (claims.oldestMs ?? askedMs);
      if (isForgotten) await ports.giveBack(id);
      else unknown.set(id, sinceMs);
    }
  }

  async function lookOn(): Promise<void> {
    while (mustLook) {
      mustLook = false;
      await look();
    }
  }

  return () => {
    mustLook = true;
    looking ??= lookOn().finally(() => {
      looking = undefined;
    });
    return looking;
  };
}
