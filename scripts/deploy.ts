import { join, resolve } from 'node:path';
import { runCommand } from './processes/command.ts';
import { runProcess } from './processes/run-process.ts';
import { buildWebIfStale } from './start/web-build.ts';

const root = resolve(import.meta.dirname, '..');
const edge = join(root, 'edge');

await runCommand(async (args, stop) => {
  await buildWebIfStale(root, stop);
  if (stop.aborted) return 1;
  const wrangler = join(edge, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
  const command = [wrangler, 'deploy', '--config', join(edge, 'wrangler.jsonc'), ...args];
  // It may have to ask who is deploying.
  const { exitCode } = await runProcess(process.execPath, command, {
    cwd: edge,
    stop,
    output: 'foreground',
  });
  return exitCode;
});
