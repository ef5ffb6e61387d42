import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCommand } from './processes/command.ts';
import { runProcess } from './processes/run-process.ts';
import { buildWebIfStale } from './start/web-build.ts';
import { formatClosingLine, type VitestReport } from './test/closing-line.ts';
import {
  findProgram,
  installDebianPackage,
  provideSystemPackages,
  SYSTEM_PACKAGES,
} from './test/system-packages.ts';

const root = resolve(import.meta.dirname, '..');

/** Compiled code of the tests' many processes, so that each starts in less time than the first. */
const compileCache = join(root, 'node_modules', '.cache', 'node-compile');

await runCommand(async (args, stop) => {
  const programs = await provideSystemPackages(SYSTEM_PACKAGES, process.env, {
    find: findProgram,
    install: (name) => installDebianPackage(name, stop),
    print: (line) => process.stdout.write(`${line}\n`),
  });
  await buildWebIfStale(root, stop);
  if (stop.aborted) return 1;

  const reportDirectory = mkdtempSync(join(tmpdir(), 'headwater-test-'));
  const reportFile = join(reportDirectory, 'report.json');
  try {
    const command = [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...args];
    command.push('--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`);
    const { exitCode } = await runProcess(process.execPath, command, {
      cwd: root,
      env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...programs },
      stop,
      output: 'inherit',
    });
    process.stdout.write(`${formatClosingLine(readReport(reportFile), exitCode)}\n`);
    return exitCode;
  } finally {
    rmSync(reportDirectory, { recursive: true, force: true });
  }
});

function readReport(file: string): VitestReport | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as VitestReport) : undefined;
}
