import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeOriginPlace } from '../hosts/origin-host.ts';
import {
  attemptsOf,
  beginParts,
  beginTask,
  isAlive,
  msUntil,
  ORPHAN_LIMIT_MS,
  PARTS,
} from './doomed-task.ts';
import { expectAllDone, submitMany } from './quick-tasks.ts';
import { taskCaller } from './task-caller.ts';
import { startAlone } from './task-hosts.ts';
import { startTaskNode } from './task-node.ts';
import { startSurroundings, startTaskWorld, type TaskWorld } from './task-world.ts';

/** An attempt begins again so soon after its process was killed, in ms. */
const CHILD_LIMIT_MS = 1_000;

describe.runIf(process.platform === 'linux')('an engine process that dies', () => {
  let world: TaskWorld;
  beforeAll(async () => {
    world = await startTaskWorld(startAlone);
  }, 60_000);
  afterAll(() => world.close());

  it('ENGINE-3, QUEUE-22: kill -9 in mid-run: the attempt begins again at once, and its programs are gone', async () => {
    const caller = await world.caller('child-killed');
    const tookMs: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const { id, enginePid, programPid } = await beginTask(caller, { hang: true, times: 1 });
      const killedAtMs = Date.now();
      process.kill(enginePid, 'SIGKILL');
      const task = await caller.ended(id);
      expect(task).toMatchObject({ status: 'succeeded', attempts: 2 });
      tookMs.push(Date.parse(task.started_at ?? '') - killedAtMs);
      await msUntil(() => !isAlive(programPid), ORPHAN_LIMIT_MS);
    }
    process.stdout.write(
      `attempt begun again ${tookMs.join(', ')} ms after kill -9 of its process\n`,
    );
    expect(Math.max(...tookMs)).toBeLessThan(CHILD_LIMIT_MS);
  });

  it('ENGINE-4: an engine without bounds costs its own attempts, and the others go on', async () => {
    const caller = await world.caller('child-hungry');
    const hungry = await caller.accept({ allocateMb: 700, sleepMs: 20_000 });
    const modest = Array.from({ length: 5 }, (_, n) => caller.accept({ echo: n }));
    for (const [n, id] of (await Promise.all(modest)).entries()) {
      expect(await caller.ended(id)).toMatchObject({ status: 'succeeded', result: { echo: n } });
    }
    const task = await caller.ended(hungry);
    expect(task).toMatchObject({
      status: 'failed',
      attempts: 3,
      error: { code: 'processing_failed', message: expect.stringContaining('WORKER_MEMORY_MB') },
    });
  });
});

describe.runIf(process.platform === 'linux')('an origin alone that dies', () => {
  it('QUEUE-15, QUEUE-22: kill -9 in mid-work and a restart: every task ends, its callback comes once, no process is left', async () => {
    const around = await startSurroundings();
    const place = await makeOriginPlace();
    const first = await startTaskNode(around.settings, place);
    let second: typeof first | undefined;
    try {
      const caller = await taskCaller(first.baseUrl, 'origin-killed');
      // What an engine has started and left behind lives as long as the engine does.
      const done = await beginTask(caller, { echo: 'done' });
      await caller.ended(done.id);
      expect(isAlive(done.programPid)).toBe(true);
      const { id, key, programPid } = await beginTask(caller, { hang: true, times: 1 });
      const ids = await submitMany(caller, 'origin-killed', 30, around.receiver);
      await caller.ended(ids[0] ?? '');
      const left = first.processes();
      expect(left.length).toBeGreaterThan(1);
      await first.kill();
      const goneMs = await msUntil(() => first.processes().length === 0, ORPHAN_LIMIT_MS);
      process.stdout.write(`engines gone ${Math.round(goneMs)} ms after kill -9 of their origin\n`);
      expect([done.programPid, programPid].filter(isAlive)).toEqual([]);
      second = await startTaskNode(around.settings, place);
      await expectAllDone(caller, 'origin-killed', ids, around.receiver);
      expect(await caller.ended(id)).toMatchObject({ status: 'succeeded', attempts: 2 });
      expect(attemptsOf(key)).toBe(2);
    } finally {
      await Promise.all([first.kill(), second?.close()]);
      await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
      await around.close();
    }
  });

  it('TASK-70: kill -9 in mid-task and a restart: the attempt goes on from what was kept, and shows it again', async () => {
    const around = await startSurroundings();
    const place = await makeOriginPlace();
    const first = await startTaskNode(around.settings, place);
    let second: typeof first | undefined;
    try {
      const caller = await taskCaller(first.baseUrl, 'origin-killed-in-parts');
      const { id, key } = await beginParts(caller);
      const read = caller.readPatiently(id);
      await first.kill();
      second = await startTaskNode(around.settings, place);
      const task = await caller.ended(id);
      expect(task).toMatchObject({ status: 'succeeded', attempts: 2 });
      expect((task.result as { doneBefore: number }).doneBefore).toBeGreaterThanOrEqual(2);
      expect(attemptsOf(key)).toBe(2);
      const { text, restarts, breaches, end } = await read;
      expect(text.endsWith(PARTS.join(''))).toBe(true);
      expect({ restarts, breaches, end }).toMatchObject({
        restarts: 1,
        breaches: [],
        end: { status: 'completed' },
      });
    } finally {
      await Promise.all([first.kill(), second?.close()]);
      await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
      await around.close();
    }
  });

  it('TASK-45, TASK-51: SIGTERM gives back what runs, without an attempt counted, and leaves no process', async () => {
    const around = await startSurroundings();
    const place = await makeOriginPlace();
    const first = await startTaskNode(around.settings, place);
    let second: typeof first | undefined;
    try {
      const caller = await taskCaller(first.baseUrl, 'origin-stopped');
      const running = await Promise.all([
        beginTask(caller, { hang: true, times: 1 }),
        beginTask(caller, { sleepMs: 300, echo: 'in time' }),
      ]);
      const ids = await submitMany(caller, 'origin-stopped', 6, around.receiver);
      await first.close();
      expect(first.processes()).toEqual([]);
      second = await startTaskNode(around.settings, place);
      const [hung, quick] = await Promise.all(running.map(({ id }) => caller.ended(id)));
      expect(hung).toMatchObject({ status: 'succeeded', attempts: 1 });
      expect(quick).toMatchObject({
        status: 'succeeded',
        attempts: 1,
        result: { echo: 'in time' },
      });
      expect(running.map(({ key }) => attemptsOf(key))).toEqual([2, 1]);
      await expectAllDone(caller, 'origin-stopped', ids, around.receiver);
    } finally {
      await Promise.all([first.kill(), second?.close()]);
      await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
      await around.close();
    }
  });
});
