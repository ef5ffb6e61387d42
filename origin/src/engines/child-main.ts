/** A process that runs engines for its parent, one task at a time. Started by engine-child.ts alone. */

import { writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { Worker } from 'node:worker_threads';
import { describeError } from '@headwater/shared/protocol/describe-error';
import { readConfig } from '../config.ts';
import { createAttemptRunner } from './attempt-runner.ts';
import type { FromChild, ToChild } from './engine-messages.ts';
import { openEngineRegistry } from './registry.ts';
import { canReadMemory } from './resident-memory.ts';

/** Badness for the kernel's choice when memory runs out (proc(5), -1000 to 1000). */
const OOM_SCORE = '500';

// First of all, so that nothing that follows outlives the parent.
new Worker(new URL('./watch-parent.ts', import.meta.url), {
  workerData: { tellsMemory: !canReadMemory || process.argv[2] === 'tell-memory' },
});

// The parent decides when a child ends: a signal to the whole group must not take it before.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
// With the programs that its engines have started: where the parent was killed nobody else ends them,
// and this thread may hear of it before the one that watches.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
process.on('uncaughtException', (thrown) => {
  // By itself Node would print the message, which may quote a prompt.
  send({ type: 'dying', cause: describeError(thrown) });
  process.exit(1);
});

try {
  writeFileSync('/proc/self/oom_score_adj', OOM_SCORE);
} catch {
  // No Linux, or no leave: then the kernel chooses as it always does.
}

const { settings, origin } = readConfig(process.env);
const runner = createAttemptRunner({
  // Only when it is needed: a module that fails must fail its own tasks.
  registry: () => openEngineRegistry(origin.tasks.engineModules),
  env: { settings, tasks: origin.tasks },
  send,
  // Node would keep what it has compiled at the exit, and a child is killed.
  loaded: flushCompileCache,
});

process.on('message', (message) => runner.take(message as ToChild));
send({ type: 'ready' });

function send(message: FromChild): void {
  // A parent that is gone needs no answer, and this process ends with it.
  process.send?.(message, undefined, undefined, () => undefined);
}
