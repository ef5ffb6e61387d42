import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { makeOriginPlace } from '../hosts/origin-host.ts';
import { taskCaller } from '../tasks/task-caller.ts';
import { startAlone } from './word-hosts.ts';
import { startWordSurroundings } from './word-world.ts';

/** Longest time that one step may take on a busy machine, in ms. */
const STEP_MS = 60_000;

/** The process of an embedded database below this folder. */
function databaseOf(folder: string): number | undefined {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  const line = lines.find((some) => some.includes('pglite-child') && some.includes(folder));
  return line === undefined ? undefined : Number.parseInt(line, 10);
}

describe('an origin alone whose database dies', () => {
  it('DB-10: lives on, answers again, and has all that it said to have kept', async () => {
    const around = await startWordSurroundings();
    const place = await makeOriginPlace();
    const host = await startAlone(around.settings, place);
    try {
      const kept: string[][] = [[], [], []];
      const refusals: unknown[] = [];
      let isOver = false;
      let longestMs = 0;
      const keptCount = () => kept.reduce((sum, ids) => sum + ids.length, 0);
      const keptSince = (count: number) =>
        expect.poll(keptCount, { timeout: STEP_MS }).toBeGreaterThan(count);
      const callers = await Promise.all(
        kept.map((_, n) => taskCaller(host.baseUrl, `writes-${n}`)),
      );
      const writers = callers.map(async (caller, n) => {
        while (!isOver) {
          const askedMs = performance.now();
          const { status, body } = await caller.ask('POST', '/characters', { name: 'Mira' });
          longestMs = Math.max(longestMs, performance.now() - askedMs);
          if (status === 201) kept[n]?.push(String(body['id']));
          else refusals.push([status, body]);
        }
      });
      const killed: (number | undefined)[] = [];
      for (const time of [1, 2]) {
        await keptSince(keptCount() + 10);
        const pid = databaseOf(place.folder);
        expect([time, killed.includes(pid), pid]).toEqual([time, false, expect.any(Number)]);
        killed.push(pid);
        const refused = refusals.length;
        process.kill(pid ?? Number.NaN, 'SIGKILL');
        await expect.poll(() => refusals.length, { timeout: STEP_MS }).toBeGreaterThan(refused);
      }
      await keptSince(keptCount());
      isOver = true;
      await Promise.all(writers);
      // Whoever waits for the database's one connection is told too: alone it would give up after 60 s.
      expect(longestMs).toBeLessThan(45_000);
      for (const refusal of refusals) {
        expect(refusal).toMatchObject([503, { error: { code: 'unavailable' } }]);
      }
      for (const [n, ids] of kept.entries()) {
        const list = await callers[n]?.ask<{ characters: { id: string }[] }>('GET', '/characters');
        const found = new Set(list?.body.characters.map(({ id }) => id));
        expect(ids.filter((id) => !found.has(id))).toEqual([]);
      }
      // The same process has answered all the time.
      expect(host.logs().split('origin is up').length).toBe(2);
    } finally {
      await host.kill();
      await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
      await around.close();
    }
  }, 240_000);
});
