// Lets whoever measures read how late a Node process' event loop was since the last time it asked.
//
// Usage: LOOP_FILE=<file> node --import <this file> <program>; then send SIGUSR2.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The loop is looked at this often, in ms: as the origin itself does. */
const RESOLUTION_MS = 10;

const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
histogram.enable();

process.on('SIGUSR2', () => {
  // A sample is the whole time between two looks.
  const p99Ms = Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS);
  writeFileSync(process.env['LOOP_FILE'] ?? '/dev/null', `${p99Ms}\n`);
  histogram.reset();
});
