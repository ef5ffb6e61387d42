import { resolve } from 'node:path';
import { runSteps } from './check/run-steps.ts';
import { listSteps } from './check/steps.ts';
import { runCommand } from './processes/command.ts';

const STEPS_AT_ONCE = 2;
const root = resolve(import.meta.dirname, '..');

await runCommand(async (_args, stop) => {
  const failed = await runSteps(listSteps(root), STEPS_AT_ONCE, stop, (text) => {
    process.stdout.write(text);
  });
  if (stop.aborted) return 1;
  const verdict = failed.length === 0 ? 'Everything holds.' : `Failed: ${failed.join(', ')}.`;
  process.stdout.write(`\n${verdict}\n`);
  return failed.length === 0 ? 0 : 1;
});
