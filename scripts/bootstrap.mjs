// The door to every command: `node scripts/bootstrap.mjs <command> [args]`.
// It runs on whatever Node the machine has (20 or later), installs what is missing with the pinned
// pnpm, and hands over to `scripts/<command>.ts` on the Node that the install brought.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './bootstrap/install.mjs';

const MINIMUM_NODE_MAJOR = 20;
const PARENT_CHECK_INTERVAL_MS = 100;
/** @type {NodeJS.Signals[]} */
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const [command = '', ...args] = process.argv.slice(2);

/**
 * @param {string} sentence
 * @returns {never}
 */
function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

const major = Number(process.versions.node.split('.')[0]);
if (major < MINIMUM_NODE_MAJOR) {
  fail(
    `Headwater needs Node ${MINIMUM_NODE_MAJOR} or later, and this is Node ${process.versions.node}.`,
  );
}
const script = join(root, 'scripts', `${command}.ts`);
if (!/^[a-z]+$/.test(command) || !existsSync(script)) {
  fail(
    `There is no command "${command}": use start, test, check, bench, token or deploy, as in \`npm start\`.`,
  );
}

const env = {
  ...process.env,
  // The package carries the CPU library; its install script would only fetch the CUDA one.
  ONNXRUNTIME_NODE_INSTALL: 'skip',
  WRANGLER_SEND_METRICS: 'false',
  // Without it local workerd asks the network for the metadata of a request.
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  NO_UPDATE_NOTIFIER: '1',
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
};

try {
  await ensureInstalled(root, env);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

// The channel lets the command notice when this process is killed outright and cannot forward anything.
const child = spawn(join(root, 'node_modules', '.bin', 'node'), [script, ...args], {
  cwd: root,
  env,
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
child.on('error', (error) => fail(`The command "${command}" could not start: ${error.message}.`));
child.on('exit', (code, signal) => {
  process.exit(code ?? 128 + (signal === null ? 1 : constants.signals[signal]));
});
for (const signal of FORWARDED_SIGNALS) process.on(signal, () => child.kill(signal));

// npm runs this through a shell, to which it sends its own SIGTERM and which passes nothing on: the
// shell's end, seen as a new parent, is then the only sign that the command should stop.
if (process.env['npm_lifecycle_event'] !== undefined) {
  const parentId = process.ppid;
  setInterval(() => {
    if (process.ppid !== parentId) child.kill('SIGTERM');
  }, PARENT_CHECK_INTERVAL_MS).unref();
}
