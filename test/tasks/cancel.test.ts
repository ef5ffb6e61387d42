import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../origin/src/testing/describe-with-redis.ts';
import { beginTask, isAlive, msUntil, runnerOf } from './doomed-task.ts';
import { withNodes } from './node-pair.ts';
import { expectOneCallback } from './one-callback.ts';
import { isOver } from './task-caller.ts';

/** Work that was canceled at another instance has stopped so soon, in ms. */
const STOP_LIMIT_MS = 500;

/** The same where this machine has no time for it. */
const BUSY_LIMIT_MS = 2_000;

/** Tasks whose end and DELETE are let loose on each other. */
const RACES = 60;

/** How long each of them works, in ms. */
const WORK_MS = 150;

describeWithRedis('tasks that are canceled at another instance', () => {
  it(
    'TASK-40, ENGINE-6: DELETE elsewhere stops work that burns CPU, and the programs it has started',
    () =>
      withNodes([{}, {}], async ({ nodes, callersAt }) => {
        const [a] = await callersAt('burns');
        const stoppedMs: number[] = [];
        for (let round = 0; round < 7; round += 1) {
          const task = await beginTask(a, { burnMs: 60_000 });
          const [, other] = runnerOf(task, nodes);
          const [elsewhere] = await callersAt('burns', [other]);
          const answering = elsewhere.cancel(task.id);
          stoppedMs.push(await msUntil(() => !isAlive(task.enginePid), BUSY_LIMIT_MS));
          await msUntil(() => !isAlive(task.programPid), BUSY_LIMIT_MS);
          expect((await answering).body).toMatchObject({ status: 'canceled', attempts: 1 });
        }
        const sorted = stoppedMs.toSorted((x, y) => x - y).map(Math.round);
        process.stdout.write(`work stopped ${sorted.join(', ')} ms after DELETE elsewhere\n`);
        expect(sorted[3]).toBeLessThan(STOP_LIMIT_MS);
        // The hands are free: a task at each of them begins at once.
        const ids = await Promise.all(
          Array.from({ length: 4 }, () => a.accept({ sleepMs: 30_000 })),
        );
        for (const id of ids) await a.once(id, ({ status }) => status === 'running');
        await Promise.all(ids.map((id) => a.cancel(id)));
      }),
    60_000,
  );

  it(
    'TASK-40, QUEUE-8: whoever is first, cancel or end: both instances, events and callback say the same',
    () =>
      withNodes([{}, {}], async ({ callersAt, receiver }) => {
        const both = await callersAt('races');
        const [a, b] = both;
        // The first tasks wait for their engines to start.
        const first = await Promise.all(
          Array.from({ length: 4 }, () => a.accept({ sleepMs: 100 })),
        );
        for (const id of first) await a.ended(id);
        const ends = await Promise.all(
          Array.from({ length: RACES }, async (_, n) => {
            const name = `race-${n}`;
            const callbackUrl = receiver.urlFor(name);
            await sleep(n * 30);
            const id = await a.accept({ sleepMs: WORK_MS, echo: n, callbackUrl });
            // Half of them race against their begin, the other half against their end.
            if (n % 2 === 0) await a.once(id, ({ status }) => status !== 'queued');
            await sleep(n % 2 === 0 ? (n / RACES) * 2 * WORK_MS : n % 20);
            const answers = await Promise.all([...both, b].map((caller) => caller.cancel(id)));
            const [end] = answers.map(({ body }) => body.status);
            for (const { body } of answers) expect([n, body.status]).toEqual([n, end]);
            for (const caller of both) {
              const task = await caller.view(id);
              expect(isOver(task) && task.status).toBe(end);
              expect(task.result === null).toBe(end === 'canceled');
            }
            const { events } = await b.read(id, { query: { format: 'json' } });
            expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({
              type: 'done',
              status: end === 'canceled' ? 'cancelled' : 'completed',
            });
            await expectOneCallback(receiver, name, { task_id: id, status: end });
            return end;
          }),
        );
        // A race that always has the same winner is none.
        expect(new Set(ends)).toEqual(new Set(['canceled', 'succeeded']));
      }),
    60_000,
  );
});
