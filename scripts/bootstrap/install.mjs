import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { acquireInstallLock } from './install-lock.mjs';
import { computeInstallStamp, listPackageDirectories } from './install-stamp.mjs';

const STAMP_FILE = join('node_modules', '.headwater-install');
const LOCK_DIRECTORY = join('.data', 'install.lock');
// Enough to hold pnpm's error and its hint, without the progress that came before.
const FAILURE_TAIL_LINES = 40;

/**
 * Whether the packages on disk are those of the lock file: the stamp matches and nothing it speaks
 * of has been removed since.
 *
 * @param {string} root repository root
 * @returns {boolean}
 */
export function isInstalled(root) {
  const stampFile = join(root, STAMP_FILE);
  if (!existsSync(stampFile) || !existsSync(join(root, 'node_modules', '.bin', 'node'))) {
    return false;
  }
  if (!listPackageDirectories(root).every((path) => existsSync(join(path, 'node_modules')))) {
    return false;
  }
  return readFileSync(stampFile, 'utf8').trim() === computeInstallStamp(root);
}

/**
 * The pnpm to install with, as `packageManager` in package.json pins it.
 *
 * @param {string} root repository root
 * @returns {string} for example `pnpm@12.21.0`
 */
export function readPackageManager(root) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // A hash may follow the version (`pnpm@1.2.3+sha512.…`); npx takes the version alone.
  return String(manifest.packageManager).split('+')[0] ?? '';
}

/**
 * Installs the packages of the lock file unless they are there already.
 *
 * @param {string} root repository root
 * @param {NodeJS.ProcessEnv} env environment of the installer
 * @returns {Promise<void>} rejects with one sentence when the install fails
 */
export async function ensureInstalled(root, env) {
  if (isInstalled(root)) return;
  const releaseLock = await acquireInstallLock(join(root, LOCK_DIRECTORY));
  try {
    // Another bootstrap may have installed while this one waited for the lock.
    if (isInstalled(root)) return;
    process.stderr.write('Installing the packages of pnpm-lock.yaml…\n');
    await runInstaller(root, env);
    const stampFile = join(root, STAMP_FILE);
    mkdirSync(dirname(stampFile), { recursive: true });
    writeFileSync(stampFile, `${computeInstallStamp(root)}\n`);
  } finally {
    releaseLock();
  }
}

/**
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<void>}
 */
function runInstaller(root, env) {
  const args = ['--yes', readPackageManager(root), 'install', '--frozen-lockfile'];
  // pnpm would otherwise ask before it replaces a node_modules that something else wrote.
  args.push('--config.confirmModulesPurge=false');
  // npx has brought the pinned pnpm; pnpm need not look for itself in the lock file.
  args.push('--config.pmOnFail=ignore');
  return new Promise((resolve, reject) => {
    const child = spawn('npx', args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward).on('SIGHUP', forward);
    const stopForwarding = () => {
      process.off('SIGINT', forward).off('SIGTERM', forward).off('SIGHUP', forward);
    };
    child.on('error', (error) => {
      stopForwarding();
      reject(new Error(`Headwater could not start npx to install its packages: ${error.message}.`));
    });
    child.on('close', (code, signal) => {
      stopForwarding();
      if (code === 0) return resolve();
      const tail = output.trimEnd().split('\n').slice(-FAILURE_TAIL_LINES).join('\n');
      process.stderr.write(`${tail}\n`);
      const ending = signal === null ? `exit code ${code}` : signal;
      reject(
        new Error(
          `Headwater could not install its packages: \`npx ${args.join(' ')}\` ended with ${ending}.`,
        ),
      );
    });
  });
}
