/** A process that runs engines for its parent, one task at a time. Started by engine-child.ts alone. */

import { flushCompileCache } from 'node:module';
import { readConfig } from '../config.ts';
import { createAttemptRunner } from './attempt-runner.ts';
import { behaveAsChild, sendToParent } from './child-manners.ts';
import type { ToChild } from './engine-messages.ts';
import { openEngineRegistry } from './registry.ts';

/** What the kernel ends before the server when memory runs out. */
const OOM_SCORE = 500;

behaveAsChild(OOM_SCORE);

const { settings, origin } = readConfig(process.env);
const runner = createAttemptRunner({
  // Only when it is needed: a module that fails must fail its own tasks.
  registry: () => openEngineRegistry(origin.tasks.engineModules),
  env: { settings, tasks: origin.tasks, answers: origin.answers },
  send: sendToParent,
  // Node would keep what it has compiled at the exit, and a child is killed.
  loaded: flushCompileCache,
});

process.on('message', (message) => runner.take(message as ToChild));
sendToParent({ type: 'ready' });
