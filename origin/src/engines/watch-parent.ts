/**
 * A thread of a child that ends it with its parent: the lifeline closes when the parent is gone,
 * however it went, and a thread sees that also while the engine keeps the main one busy. Where the
 * parent cannot read it, the thread tells how much memory the process has.
 */

import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { LIFELINE_FD } from './engine-messages.ts';

/** Pause between two words on memory, in ms. */
const TELL_MS = 250;

const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: true });

// A broken line is a closed one.
lifeline.on('error', () => undefined);
lifeline.on('close', () => {
  // The group: with whatever programs the engine has started. A thread cannot end its process by
  // `process.exit`, and the main one may never come to run a handler.
  process.kill(-process.pid, 'SIGKILL');
});
lifeline.resume();

if ((workerData as { readonly tellsMemory: boolean }).tellsMemory) {
  setInterval(() => lifeline.write(`${process.memoryUsage.rss()}\n`), TELL_MS);
}
