/** Attempts whose end a test decides, by the parameters of the task. */

import type { AttemptOutcome } from '@headwater/shared/tasks/ports';
import type { TaskError } from '@headwater/shared/tasks/task';
import type { SupervisedPool } from '../engines/engine-pool.ts';

/**
 * A pool without processes. Parameters: `say`, texts that it tells; `hold`, true where the attempt
 * lasts until `release`; `fail`, how it fails; `result`, else.
 */
export interface ScriptedPool extends SupervisedPool {
  /** Ids of the attempts that are held. */
  readonly held: readonly string[];
  /** Lets an attempt end. */
  release(id: string): void;
  /** Ids of the attempts that were begun, in order. */
  readonly begun: readonly string[];
}

/** Makes it. */
export function createScriptedPool(): ScriptedPool {
  const holds = new Map<string, () => void>();
  const begun: string[] = [];
  let busy = 0;

  async function hold(id: string, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      holds.set(id, resolve);
      signal.addEventListener('abort', () => resolve());
      if (signal.aborted) resolve();
    });
    holds.delete(id);
  }

  return {
    get held() {
      return [...holds.keys()];
    },
    begun,
    release: (id) => holds.get(id)?.(),
    look: () => ({ processes: busy, busy }),
    async run({ spec }, signal, news): Promise<AttemptOutcome> {
      const { say, hold: isHeld, fail, result = null } = spec.input.params;
      begun.push(spec.id);
      busy += 1;
      for (const text of (say ?? []) as readonly string[]) news({ type: 'text', text });
      if (isHeld) await hold(spec.id, signal);
      busy -= 1;
      if (signal.aborted) return { type: 'stopped' };
      if (fail) return { type: 'failed', error: fail as unknown as TaskError };
      return { type: 'succeeded', result };
    },
    async close() {
      for (const release of holds.values()) release();
    },
  };
}
