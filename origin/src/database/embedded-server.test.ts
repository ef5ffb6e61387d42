import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeEmbeddedFolder } from '../testing/embedded-folder.ts';
import type { Database } from './database.ts';
import { startEmbeddedServer } from './embedded-server.ts';
import { sql } from './orm.ts';
import { createPooledDatabase } from './pooled-database.ts';

/** Longest time that anything here may take on a busy machine, in ms. */
const ONCE_MS = 60_000;

/** Processes of this machine that have `folder` for an embedded database. */
function serversOf(folder: string): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines
    .filter((line) => line.includes('pglite-child') && line.includes(folder))
    .map((line) => Number.parseInt(line, 10));
}

const noted = async (database: Database): Promise<Set<number>> => {
  const { rows } = await database.use((db) => db.execute(sql`select n from notes`));
  return new Set(rows.map(({ n }) => Number(n)));
};

describe('the process of the embedded database', () => {
  let parent: string;
  let dataDir: string;
  let logger: ReturnType<typeof createSilentLogger>;
  let database: Database;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'headwater-server-'));
    dataDir = join(parent, 'postgres');
    await makeEmbeddedFolder(dataDir);
    logger = createSilentLogger();
    database = createPooledDatabase({ kind: 'embedded', dataDir }, logger);
    await database.use((db) => db.execute(sql`create table notes (n int primary key)`));
  }, ONCE_MS);
  afterEach(async () => {
    await database.close();
    await rm(parent, { recursive: true, force: true });
  }, ONCE_MS);

  it('DB-10: may be killed in the middle of anything: what was acknowledged is there, and it goes on', async () => {
    const kept = new Set<number>();
    const failures: unknown[] = [];
    const underWay = new Set<number>();
    let isOver = false;
    let next = 0;
    async function writeOn(): Promise<void> {
      while (!isOver) {
        next += 1;
        const n = next;
        underWay.add(n);
        try {
          await database.transaction(async (db) => {
            await db.execute(sql`insert into notes values (${n})`);
            await db.execute(sql`select count(*) from notes`);
          });
          kept.add(n);
        } catch (thrown) {
          failures.push(thrown);
        } finally {
          underWay.delete(n);
        }
      }
    }
    const writers = Array.from({ length: 4 }, writeOn);
    const killed: number[] = [];
    for (let time = 1; time <= 2; time += 1) {
      const before = kept.size;
      await expect.poll(() => kept.size, { timeout: ONCE_MS }).toBeGreaterThan(before + 20);
      const [pid] = serversOf(dataDir);
      if (pid === undefined) throw new Error('no process');
      expect(killed).not.toContain(pid);
      killed.push(pid);
      const waiting = [...underWay];
      process.kill(pid, 'SIGKILL');
      // Who waits for the connection hears of it too, long before the pool's own 60 s are over.
      await expect
        .poll(() => waiting.filter((n) => underWay.has(n)), { timeout: ONCE_MS / 2 })
        .toEqual([]);
      expect(failures.length).toBeGreaterThan(0);
    }
    const before = kept.size;
    await expect.poll(() => kept.size, { timeout: ONCE_MS }).toBeGreaterThan(before);
    isOver = true;
    await Promise.all(writers);
    const found = await noted(database);
    expect([...kept].filter((n) => !found.has(n))).toEqual([]);
    // One whose answer was lost may be there; nothing else is.
    expect(found.size - kept.size).toBeLessThanOrEqual(failures.length);
    for (const failure of failures) expect(failure).toMatchObject({ code: 'unavailable' });
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(killed.length);
  }, 240_000);

  it(
    'DB-10: ends at once with whoever started it, also in the middle of a query, and the next one waits for that',
    async () => {
      await database.close();
      const holder = fork(new URL('../testing/embedded-holder.ts', import.meta.url), [dataDir], {
        execArgv: [],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      // It has said so, and computes something that takes minutes.
      await once(holder, 'message');
      const [server] = serversOf(dataDir);
      holder.kill('SIGKILL');
      const next = await startEmbeddedServer(dataDir);
      expect(serversOf(dataDir)).not.toContain(server);
      await next.close();
      expect(serversOf(dataDir)).toEqual([]);
    },
    ONCE_MS,
  );

  it('DB-10: leaves nothing behind once it is closed', async () => {
    expect(serversOf(dataDir)).toHaveLength(1);
    await database.close();
    expect(serversOf(dataDir)).toEqual([]);
  });
});
