import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 250;
// A first install on a slow line takes minutes; past this somebody should look.
const WAIT_LIMIT_MS = 600_000;

/**
 * Lets one install at a time into a checkout. The lock is a folder holding its owner's process id;
 * it is stale, and is taken over, once that process is gone.
 *
 * @param {string} lockDirectory path of the lock
 * @param {{ isAlive?: (processId: number) => boolean, pause?: () => Promise<void>, waitLimitMs?: number }} [options]
 *   `pause` is awaited between two attempts
 * @returns {Promise<() => void>} releases the lock; rejects with one sentence after `waitLimitMs`
 */
export async function acquireInstallLock(lockDirectory, options = {}) {
  const isAlive = options.isAlive ?? isProcessAlive;
  const pause = options.pause ?? (() => delay(POLL_INTERVAL_MS));
  const attempts = Math.ceil((options.waitLimitMs ?? WAIT_LIMIT_MS) / POLL_INTERVAL_MS);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (tryCreate(lockDirectory)) {
      return () => rmSync(lockDirectory, { recursive: true, force: true });
    }
    const owner = readOwner(lockDirectory);
    if (owner !== undefined && !isAlive(owner)) discardStale(lockDirectory, owner);
    else await pause();
  }
  throw new Error(
    `Another install has held ${lockDirectory} for too long: remove that folder if no install is running.`,
  );
}

/**
 * Renaming a prepared folder into place is atomic and, unlike mkdir, leaves no moment in which the
 * lock exists without its owner's id.
 *
 * @param {string} lockDirectory
 * @returns {boolean}
 */
function tryCreate(lockDirectory) {
  mkdirSync(dirname(lockDirectory), { recursive: true });
  const prepared = mkdtempSync(`${lockDirectory}-`);
  writeFileSync(join(prepared, 'pid'), String(process.pid));
  try {
    renameSync(prepared, lockDirectory);
    return true;
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    const code = errorCode(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM') return false;
    throw error;
  }
}

/**
 * @param {string} lockDirectory
 * @returns {number | undefined} undefined when the lock was released meanwhile
 */
function readOwner(lockDirectory) {
  try {
    return Number(readFileSync(join(lockDirectory, 'pid'), 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * @param {string} lockDirectory
 * @param {number} staleOwner
 */
function discardStale(lockDirectory, staleOwner) {
  const aside = `${lockDirectory}-stale-${process.pid}`;
  try {
    renameSync(lockDirectory, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if (readOwner(aside) !== staleOwner) {
    // Somebody else replaced the stale lock between the two looks: theirs goes back.
    renameSync(aside, lockDirectory);
    return;
  }
  rmSync(aside, { recursive: true, force: true });
}

/**
 * @param {number} processId
 * @returns {boolean}
 */
function isProcessAlive(processId) {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: alive, but another user's.
    return errorCode(error) === 'EPERM';
  }
}

/**
 * @param {unknown} error
 * @returns {string | undefined}
 */
function errorCode(error) {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return String(error.code);
}
