import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireInstallLock } from './install-lock.mjs';

let folder: string;
let lock: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headwater-lock-'));
  lock = join(folder, 'state', 'install.lock');
});

afterEach(() => rmSync(folder, { recursive: true }));

function holdAs(processId: number): void {
  mkdirSync(lock, { recursive: true });
  writeFileSync(join(lock, 'pid'), String(processId));
}

test('a free lock is taken at once, names its owner and is gone when released', async () => {
  const release = await acquireInstallLock(lock);
  expect(readFileSync(join(lock, 'pid'), 'utf8')).toBe(String(process.pid));
  release();
  expect(existsSync(lock)).toBe(false);
});

test('a lock whose owner is dead is taken over without waiting', async () => {
  holdAs(4242);
  const release = await acquireInstallLock(lock, {
    isAlive: () => false,
    pause: () => Promise.reject(new Error('must not wait')),
  });
  expect(readFileSync(join(lock, 'pid'), 'utf8')).toBe(String(process.pid));
  release();
});

test('a lock whose owner lives is waited for', async () => {
  holdAs(4242);
  let pauses = 0;
  const release = await acquireInstallLock(lock, {
    isAlive: () => true,
    pause: async () => {
      pauses += 1;
      if (pauses === 3) rmSync(lock, { recursive: true });
    },
  });
  expect(pauses).toBe(3);
  release();
});

test('a lock that is never released ends in one sentence that names its folder', async () => {
  holdAs(4242);
  const waiting = acquireInstallLock(lock, {
    isAlive: () => true,
    pause: () => Promise.resolve(),
    waitLimitMs: 1000,
  });
  await expect(waiting).rejects.toThrow(`held ${lock} for too long`);
});
