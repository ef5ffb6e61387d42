import { join, resolve } from 'node:path';
import { runCommand } from './processes/command.ts';
import { runProcess } from './processes/run-process.ts';

const root = resolve(import.meta.dirname, '..');

await runCommand(async (args, stop) => {
  const command = [join(root, 'bench', 'main.ts'), ...args];
  const { exitCode } = await runProcess(process.execPath, command, {
    cwd: root,
    stop,
    output: 'inherit',
  });
  return exitCode;
});
