import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openTestPool } from '../testing/open-test-pool.ts';
import { aTestTask, testEnvironment } from '../testing/test-engine-task.ts';

const never = new AbortController().signal;

it('ENGINE-20: what a child has compiled is kept for the next one, though it is killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-compiled-'));
  const env = { ...process.env, ...testEnvironment(), NODE_COMPILE_CACHE: folder };
  const pool = openTestPool({ size: 1, env });
  const outcome = await pool.run(aTestTask(), never, () => undefined);
  expect(outcome.type).toBe('succeeded');
  await pool.close();
  const kept = readdirSync(folder, { recursive: true, withFileTypes: true });
  expect(kept.filter((entry) => entry.isFile()).length).toBeGreaterThan(10);
  rmSync(folder, { recursive: true, force: true });
});
