/** How a process behaves that its parent starts, watches and ends. */

import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describeError } from '@headwater/shared/protocol/describe-error';
import type { FromChild } from './engine-messages.ts';
import { canReadMemory } from './resident-memory.ts';

/** Says something to the parent. One that is gone needs no answer, and this process ends with it. */
export function sendToParent(message: FromChild): void {
  process.send?.(message, undefined, undefined, () => undefined);
}

/**
 * To be called first of all, so that nothing that follows outlives the parent. `oomScore` is the
 * badness for the kernel's choice when memory runs out (proc(5), -1000 to 1000).
 */
export function behaveAsChild(oomScore: number): void {
  new Worker(new URL('./watch-parent.ts', import.meta.url), {
    workerData: { tellsMemory: !canReadMemory || process.argv[2] === 'tell-memory' },
  });
  // The parent decides when a child ends: a signal to the whole group must not take it before.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => undefined);
  // With the programs that it has started: where the parent was killed nobody else ends them, and
  // this thread may hear of it before the one that watches.
  process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
  process.on('uncaughtException', (thrown) => {
    // By itself Node would print the message, which may quote a prompt or a document.
    sendToParent({ type: 'dying', cause: describeError(thrown) });
    process.exit(1);
  });
  try {
    writeFileSync('/proc/self/oom_score_adj', String(oomScore));
  } catch {
    // No Linux, or no leave: then the kernel chooses as it always does.
  }
}
