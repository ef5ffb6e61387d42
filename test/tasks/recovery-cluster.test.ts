import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../origin/src/testing/describe-with-redis.ts';
import {
  attemptsOf,
  beginParts,
  beginTask,
  isAlive,
  msUntil,
  ORPHAN_LIMIT_MS,
  PARTS,
  runnerOf,
} from './doomed-task.ts';
import { withNodes } from './node-pair.ts';
import { expectOneCallback } from './one-callback.ts';
import { expectAllDone, submitMany } from './quick-tasks.ts';

/** An attempt begins again so soon after its whole node was killed, in ms. */
const NODE_LIMIT_MS = 10_000;

describeWithRedis('a cluster of which a part dies', () => {
  it(
    'QUEUE-10, QUEUE-22: kill -9 of a node: its tasks go on at the other, and no process of it is left',
    () =>
      withNodes([{}, {}], async ({ nodes, callersAt, receiver }) => {
        const [caller] = await callersAt('node-killed');
        const callbackUrl = receiver.urlFor('node-killed');
        const doomed = await beginTask(caller, {
          hang: true,
          times: 1,
          echo: 'went on',
          callbackUrl,
        });
        const [runner, other] = runnerOf(doomed, nodes);
        const [away] = await callersAt('node-killed', [other]);
        // Without callbacks: one that is under way at a killed node comes when its claim ends.
        const ids = await submitMany(away, 'node-killed-other', 20);
        const killedAtMs = Date.now();
        await runner.kill();
        await msUntil(() => runner.processes().length === 0, ORPHAN_LIMIT_MS);
        const task = await away.ended(doomed.id);
        expect(task).toMatchObject({
          status: 'succeeded',
          attempts: 2,
          result: { echo: 'went on' },
        });
        const tookMs = Date.parse(task.started_at ?? '') - killedAtMs;
        process.stdout.write(`attempt begun again ${tookMs} ms after kill -9 of its node\n`);
        expect(tookMs).toBeLessThan(NODE_LIMIT_MS);
        expect(attemptsOf(doomed.key)).toBe(2);
        await expectOneCallback(receiver, 'node-killed', { status: 'succeeded', attempts: 2 });
        await expectAllDone(away, 'node-killed-other', ids);
      }),
    60_000,
  );

  it(
    'TASK-70: kill -9 of a node in mid-task: the other goes on from what was kept, and shows it again',
    () =>
      withNodes([{}, {}], async ({ nodes, callersAt }) => {
        const [caller] = await callersAt('parts');
        const doomed = await beginParts(caller);
        const [runner, other] = runnerOf(doomed, nodes);
        const [away] = await callersAt('parts', [other]);
        const read = away.readPatiently(doomed.id);
        await runner.kill();
        const task = await away.ended(doomed.id);
        expect(task).toMatchObject({ status: 'succeeded', attempts: 2 });
        expect((task.result as { doneBefore: number }).doneBefore).toBeGreaterThanOrEqual(2);
        const { text, restarts, breaches } = await read;
        expect(text.endsWith(PARTS.join(''))).toBe(true);
        expect({ restarts, breaches }).toEqual({ restarts: 1, breaches: [] });
      }),
    60_000,
  );

  it(
    'TASK-7, QUEUE-10, QUEUE-36: a node that hangs and comes back has no second effect, and goes on',
    () =>
      withNodes([{}, {}], async ({ nodes, callersAt, receiver }) => {
        const [caller] = await callersAt('node-hung');
        const callbackUrl = receiver.urlFor('node-hung');
        // All hands but one are busy, so that the next task has one of these beside it.
        const burning = await Promise.all(
          Array.from({ length: 3 }, () => beginTask(caller, { burnMs: 60_000 })),
        );
        const hung = await beginTask(caller, { sleepMs: 4_000, echo: 'once', callbackUrl });
        const [runner, other] = runnerOf(hung, nodes);
        const stuck = burning.find(({ enginePid }) => runner.processes().includes(enginePid));
        if (stuck === undefined) throw new Error('the node has one task alone');
        const [away] = await callersAt('node-hung', [other]);
        runner.pause();
        // None of them waits for the node that hangs.
        for (const { id } of burning) {
          expect((await away.cancel(id)).body).toMatchObject({ status: 'canceled' });
        }
        await away.once(hung.id, ({ status, attempts }) => status === 'running' && attempts === 2);
        // What its engine has done meanwhile it has not read yet: it comes back with a result.
        expect(isAlive(stuck.enginePid)).toBe(true);
        runner.resume();
        await msUntil(() => !isAlive(stuck.enginePid), ORPHAN_LIMIT_MS);
        const task = await away.ended(hung.id);
        expect(task).toMatchObject({ status: 'succeeded', attempts: 2, result: { echo: 'once' } });
        const { pid } = task.result as { pid: number };
        expect(other.processes()).toContain(pid);
        await expectOneCallback(receiver, 'node-hung', {
          status: 'succeeded',
          result: task.result,
        });
        const read = await away.readPatiently(hung.id);
        expect(read).toMatchObject({ restarts: 1, breaches: [], end: { status: 'completed' } });
        // All hands are there again.
        const ids = await Promise.all(
          Array.from({ length: 4 }, () => away.accept({ sleepMs: 30_000 })),
        );
        for (const id of ids) await away.once(id, ({ status }) => status === 'running');
        expect(await away.view(hung.id)).toEqual({ ...task, callback: expect.anything() });
        await Promise.all(ids.map((id) => away.cancel(id)));
      }),
    60_000,
  );

  it(
    'QUEUE-33, QUEUE-25: kill -9 of Redis in mid-work and a restart: every task ends, once in effect',
    () =>
      withNodes([{}, {}], async ({ redis, callersAt, receiver }) => {
        const [a, b] = await callersAt('redis-killed');
        const ids = await submitMany(a, 'redis-killed', 24, receiver);
        const long = await beginTask(b, { sleepMs: 3_000, echo: 'through it all' });
        await a.once(ids[3] ?? '', ({ status }) => status === 'succeeded');
        await redis.kill();
        // Asked while there is no Redis, and under a key: it is one task, whatever was heard of it.
        const key = { 'idempotency-key': 'while-away' };
        const asked = Promise.all([a, b].map((caller) => caller.submit({ echo: 'kept' }, key)));
        await redis.restart();
        for (const { status } of await asked) expect([202, 503]).toContain(status);
        await expectAllDone(a, 'redis-killed', ids, receiver);
        expect(await b.ended(long.id)).toMatchObject({
          status: 'succeeded',
          attempts: 1,
          result: { echo: 'through it all' },
        });
        const again = await Promise.all(
          [a, b].map((caller) => caller.accept({ echo: 'kept' }, key)),
        );
        expect(new Set(again).size).toBe(1);
        expect(await a.ended(again[0] ?? '')).toMatchObject({ status: 'succeeded', attempts: 1 });
      }),
    60_000,
  );

  it(
    'QUEUE-35, TASK-45: SIGTERM of a node: the other has its tasks at once, and no attempt is counted',
    () =>
      withNodes([{}, {}], async ({ nodes, callersAt }) => {
        const [caller] = await callersAt('node-stopped');
        const given = await beginTask(caller, { hang: true, times: 1 });
        const [runner, other] = runnerOf(given, nodes);
        const [away] = await callersAt('node-stopped', [other]);
        const stoppedAtMs = Date.now();
        await runner.close();
        expect(runner.processes()).toEqual([]);
        const task = await away.ended(given.id);
        expect(task).toMatchObject({ status: 'succeeded', attempts: 1 });
        expect(attemptsOf(given.key)).toBe(2);
        const tookMs = Date.parse(task.started_at ?? '') - stoppedAtMs;
        process.stdout.write(
          `handed over ${tookMs} ms after SIGTERM, of which 1000 ms are grace\n`,
        );
        expect(tookMs).toBeLessThan(4_000);
      }),
    60_000,
  );

  it(
    'TASK-35, TASK-30: an api accepts, a worker does; when all workers are gone, tasks wait for the next one',
    () =>
      withNodes([{ ROLE: 'api' }, { ROLE: 'worker' }], async ({ nodes, callersAt, start }) => {
        const [api, worker] = nodes;
        const [caller, atWorker] = await callersAt('roles');
        const refused = await atWorker.submit({});
        expect(refused.status).toBe(404);
        const doomed = await beginTask(caller, { hang: true, times: 1, echo: 'in the end' });
        expect(worker.processes()).toContain(doomed.enginePid);
        expect(api.processes()).toEqual([]);
        await worker.kill();
        const waiting = await caller.accept({ echo: randomUUID() });
        expect((await caller.view(waiting)).status).toBe('queued');
        const next = await start({ ROLE: 'worker' });
        expect(await caller.ended(waiting)).toMatchObject({ status: 'succeeded', attempts: 1 });
        const task = await caller.ended(doomed.id);
        expect(task).toMatchObject({
          status: 'succeeded',
          attempts: 2,
          result: { echo: 'in the end' },
        });
        const { pid } = task.result as { pid: number };
        expect(next.processes()).toContain(pid);
        expect(api.processes()).toEqual([]);
      }),
    60_000,
  );
});
