// Lets whoever measures memory ask a Node process to collect its garbage and to say what is left, so
// that what is held can be told from what has not been swept or given back yet.
//
// Usage: HEAP_FILE=<file> node --expose-gc --import <this file> <program>; then send SIGUSR2.
import { writeFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  globalThis.gc?.();
  // Once more: finalisers of the first round let go of more.
  setImmediate(() => {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(process.env['HEAP_FILE'] ?? '/dev/null', String(heapUsed + external));
  });
});
