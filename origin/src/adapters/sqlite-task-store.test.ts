import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createMemoryTaskStore } from '@headwater/shared/tasks/memory-task-store';
import type { TaskStore } from '@headwater/shared/tasks/ports';
import type { TaskRecord, TaskState } from '@headwater/shared/tasks/task';
import { stepTask, type TaskStep } from '@headwater/shared/tasks/task-machine';
import {
  aChange,
  aSubmission,
  aTask,
  keepTasks,
  TASK_TIME_MS,
  takeStep,
} from '@headwater/shared/testing/task-fixtures';
import { describeTaskStore } from '@headwater/shared/testing/task-store-contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withSqliteFolder } from '../testing/sqlite-folder.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { openSqliteTaskStore } from './sqlite-task-store.ts';

describeTaskStore(
  'node:sqlite',
  (test) =>
    withSqliteFolder(({ open }) => {
      const store = openSqliteTaskStore(open());
      return test({ store, other: () => store, reopen: () => openSqliteTaskStore(open()) });
    }),
  { durable: true },
);

const WRITER = join(import.meta.dirname, '..', 'testing', 'sqlite-task-writer.ts');

/** What may be done to a store; numbers choose among what is there. */
const act = fc.record({
  type: fc.constantFrom(
    ...(['submit', 'submit', 'batch', 'claim', 'claim', 'step', 'step', 'step'] as const),
    ...(['step', 'stale', 'beat', 'leave', 'lost', 'forget', 'pass'] as const),
  ),
  at: fc.nat(1_000),
  owner: fc.constantFrom('ada', 'bob', 'cy'),
  priority: fc.integer({ min: 1, max: 10 }),
});

type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

const STEPS: readonly TaskStep[] = [
  { type: 'text', text: 'word ' },
  { type: 'text', text: 'é' },
  { type: 'progress', progress: 0.5, stage: 'reading' },
  { type: 'keep', checkpoint: '{"done":1}' },
  { type: 'succeed', result: { lines: ['a'] } },
  { type: 'fail', error: { code: 'unavailable', message: 'Busy.' } },
  { type: 'crash', reason: 'It died.' },
  { type: 'give-back' },
  { type: 'time-out' },
  { type: 'cancel' },
  { type: 'callback-kept' },
];

/** In an order that does not depend on which of those that ended at once was first. */
function byId(records: readonly TaskRecord[]): readonly TaskRecord[] {
  return [...records].sort((one, other) => (one.spec.id < other.spec.id ? -1 : 1));
}

/** Does the same to any store; gives all that it answers. */
async function play(store: TaskStore, acts: readonly Act[]): Promise<unknown[]> {
  const ids: string[] = [];
  const answers: unknown[] = [];
  let nowMs = TASK_TIME_MS;
  store.listen('n0', (id) => answers.push(['taken', id]));
  for (const { type, at, owner, priority } of acts) {
    const node = `n${at % 3}`;
    const id = ids[at % Math.max(1, ids.length)] ?? 'none';
    if (type === 'submit' || type === 'batch') {
      const batchId = type === 'batch' ? `b${ids.length}` : undefined;
      const tasks = Array.from({ length: batchId === undefined ? 1 : at % 4 }, (_, index) => {
        const batch = batchId === undefined ? {} : { batchId };
        const callback = index % 2 === 0 ? { callbackUrl: 'https://n8n.example/' } : {};
        const spec = { owner, priority, createdAtMs: nowMs, ...batch, ...callback };
        return aTask(`t${ids.length + index}`, spec);
      });
      const entries = tasks.map(({ spec }) => ({ taskId: spec.id }));
      const answerId = batchId ?? `t${ids.length}`;
      const outcome = await store.submit(
        aSubmission(tasks, {
          maxQueuedPerOwner: 6,
          maxQueued: 10,
          ...(batchId === undefined
            ? {}
            : { batch: { id: batchId, owner, createdAtMs: nowMs, entries } }),
          ...(at % 3 === 0
            ? { idempotency: { owner, key: `k${at % 2}`, fingerprint: `f${at % 5}`, answerId } }
            : {}),
        }),
      );
      answers.push(outcome);
      ids.push(...tasks.map(({ spec }) => spec.id));
      if (batchId !== undefined) answers.push(await store.getBatch(batchId));
    } else if (type === 'claim') {
      const claimed = await store.claim('ocr', node, 1 + (at % 3), nowMs);
      answers.push(claimed);
      const starts = claimed.map((task) => aChange(task, { type: 'start', node }, nowMs));
      if (at % 4 !== 0) answers.push(await store.commit(starts, node));
    } else if (type === 'step' || type === 'stale') {
      const record = await store.get(id);
      const step = STEPS[at % STEPS.length];
      const change =
        record === undefined || step === undefined ? undefined : stepTask(record, step, nowMs, 0);
      if (change === undefined) continue;
      answers.push(await store.commit([change], at % 2 === 0 ? node : undefined));
      if (type === 'stale') answers.push(await store.commit([change], node));
    } else if (type === 'beat') await store.beat(node, nowMs + 5_000, ['ocr']);
    else if (type === 'leave') await store.leave(node);
    else if (type === 'pass') nowMs += at * 10;
    else if (type === 'forget') answers.push(byId(await store.forget(nowMs - 3_000, 99)));
    else answers.push(await store.lost(nowMs, 1 + (at % 3)));
    answers.push(await store.get(id), await store.head(id), await store.checkpointOf(id));
    answers.push(await store.read(id, { epoch: 1, seq: at % 3 }, 1 + (at % 3)));
  }
  answers.push([...(await store.counts(nowMs))], await store.nextDueMs('ocr'));
  answers.push(await store.nodes(nowMs), await store.held('n1'));
  answers.push(byId(await store.owing(99)));
  return answers;
}

describe('tasks in the embedded database', () => {
  it('QUEUE-16: answer as those in memory do, whatever is done to them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 20, maxLength: 80, size: 'max' }), (acts) =>
        withSqliteFolder(async ({ open }) => {
          const answers = await play(openSqliteTaskStore(open()), acts);
          expect(answers).toEqual(await play(createMemoryTaskStore(), acts));
        }),
      ),
      { numRuns: 40, seed: 20_300_101, interruptAfterTimeLimit: 50_000 },
    );
  }, 60_000);

  it('QUEUE-16: after a restart what ran is lost at once, and what was claimed waits again', () =>
    withSqliteFolder(async ({ open }) => {
      const store = openSqliteTaskStore(open());
      await store.beat('n1', TASK_TIME_MS + 60_000, ['ocr']);
      await keepTasks(store, aTask('t1'), aTask('t2'), aTask('t3'));
      const [first] = await store.claim('ocr', 'n1', 2, TASK_TIME_MS);
      if (first === undefined) throw new Error('nothing could be claimed');
      const running = await takeStep(store, first, { type: 'start', node: 'n1' });
      const again = openSqliteTaskStore(open());
      expect(await again.nodes(TASK_TIME_MS)).toEqual([]);
      expect(await again.lost(TASK_TIME_MS, 9)).toEqual([running]);
      const ids = (await again.claim('ocr', 'n2', 9, TASK_TIME_MS)).map(({ spec }) => spec.id);
      expect(ids).toEqual(['t2', 't3']);
      const crash = { type: 'crash', reason: 'The node that ran it is gone.' } as const;
      const queued = await takeStep(again, running, crash);
      expect(await again.claim('ocr', 'n2', 9, TASK_TIME_MS)).toEqual([queued]);
    }));

  it(
    'QUEUE-16: after `kill -9` in mid-write every task is as far as was said, or further',
    () =>
      withSqliteFolder(async ({ folder, open }) => {
        const child = spawn(process.execPath, [WRITER, folder], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const lines = createInterface({ input: child.stdout });
        const said = new Map<string, TaskState>();
        const ended = once(lines, 'close');
        lines.on('line', (line) => {
          // The last one may be cut off.
          if (!line.endsWith('}}')) return;
          const { id, state } = JSON.parse(line) as { id: string; state: TaskState };
          said.set(id, state);
          if (said.size === 300) child.kill('SIGKILL');
        });
        await ended;
        const database = open();
        expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
        const store = openSqliteTaskStore(database);
        const lost = new Set((await store.lost(0, 10_000)).map(({ spec }) => spec.id));
        for (const [id, state] of said) {
          const kept = await store.get(id);
          expect(kept?.state.version).toBeGreaterThanOrEqual(state.version);
          if (state.hasCheckpoint && kept?.state.status === 'running') {
            expect(await store.checkpointOf(id)).toBe(JSON.stringify({ of: id }));
          }
          if (state.status === 'succeeded') {
            expect(kept?.state).toEqual(state);
            expect(await store.head(id)).toEqual({ epoch: 1, seq: 3 });
          }
          expect(lost.has(id)).toBe(kept?.state.status === 'running');
          const owner = `o${id.split('-')[1]}`;
          const idempotency = { owner, key: id, fingerprint: 'other', answerId: 'x' };
          const again = await store.submit(aSubmission([aTask('x', { owner })], { idempotency }));
          expect(again).toEqual({ type: 'mismatch' });
        }
        const counts = [...(await store.counts(TASK_TIME_MS)).values()];
        const succeeded = [...said.values()].filter(({ status }) => status === 'succeeded').length;
        const sum = counts.reduce((total, count) => total + count.succeeded, 0);
        expect(sum).toBeGreaterThanOrEqual(succeeded);
      }),
    30_000,
  );

  it('QUEUE-17: what a full disk undoes was never there: nobody gets it, nobody hears of it', () =>
    withSqliteFolder(async ({ open }) => {
      const database = open();
      const store = openSqliteTaskStore(database);
      await store.beat('n1', TASK_TIME_MS + 5_000);
      await keepTasks(store, aTask('t1'));
      const [claimed] = await store.claim('ocr', 'n1', 1, TASK_TIME_MS);
      if (claimed === undefined) throw new Error('nothing could be claimed');
      let hints = 0;
      const taken: string[] = [];
      store.watch('t1', () => {
        hints += 1;
      });
      store.listen('n1', (id) => taken.push(id));
      const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
      database.prepare(`PRAGMA max_page_count = ${pages + 2}`).get();
      const limits = { maxQueuedPerOwner: 3, maxQueued: 3 };
      const big = aTask('big', { input: { params: { text: 'x'.repeat(200_000) }, files: [] } });
      const idempotency = { owner: 'ada', key: 'k', fingerprint: 'f', answerId: 't2' };
      const calls = [
        () => store.submit(aSubmission([aTask('t2')], { ...limits, idempotency })),
        () => store.commit([aChange(claimed, { type: 'cancel' })]),
        () => store.submit(aSubmission([big], limits)),
        () => store.submit(aSubmission([aTask('t3')], limits)),
      ];
      const all = await Promise.allSettled(calls.map(async (call) => call()));
      const refused = all.filter(({ status }) => status === 'rejected');
      expect(refused.length).toBeGreaterThan(0);
      for (const one of refused) expect(one).toMatchObject({ reason: { code: 'unavailable' } });
      const isKept = (at: number) => all[at]?.status === 'fulfilled';
      expect(isKept(2)).toBe(false);
      expect((await store.get('t2')) !== undefined).toBe(isKept(0));
      expect(hints).toBe(isKept(1) ? 1 : 0);
      expect(taken).toEqual(isKept(1) ? ['t1'] : []);
      expect(await store.held('n1')).toEqual(isKept(1) ? [] : ['t1']);
      expect(await store.get('big')).toBeUndefined();
      database.prepare(`PRAGMA max_page_count = ${pages + 1_000}`).get();
      const waiting = [0, 3].filter(isKept).length;
      expect((await store.counts(TASK_TIME_MS)).get('ocr')?.queued).toBe(waiting);
      const rest = [aTask('t4'), aTask('t5'), aTask('t6')].slice(waiting);
      expect(await store.submit(aSubmission(rest, limits))).toEqual({ type: 'kept' });
      const more = await store.submit(aSubmission([aTask('t7')], limits));
      expect(more).toEqual({ type: 'full', by: 'owner' });
    }));

  it('QUEUE-17: a task whose end is only being written is handed to nobody, and stays in line where that fails', () =>
    withSqliteFolder(async ({ open }) => {
      const database = open();
      const store = openSqliteTaskStore(database);
      await keepTasks(store, aTask('t1'), aTask('t2'));
      const claimed = async () =>
        (await store.claim('ocr', 'n1', 9, TASK_TIME_MS)).map(({ spec }) => spec.id);
      beginTurn(database);
      const canceled = store.commit([aChange(aTask('t1'), { type: 'cancel' })]);
      expect(canceled).toBeInstanceOf(Promise);
      const [taken] = await store.claim('ocr', 'n1', 9, TASK_TIME_MS);
      expect(await canceled).toEqual([true]);
      expect(taken?.spec.id).toBe('t2');
      expect(await claimed()).toEqual([]);
      await takeStep(store, aTask('t2'), { type: 'give-back' }, TASK_TIME_MS, 'n1');
      const [waiting] = await store.getMany(['t2']);
      if (waiting === undefined) throw new Error('t2 is gone');
      const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
      database.prepare(`PRAGMA max_page_count = ${pages}`).get();
      beginTurn(database);
      const cancel = Promise.resolve(store.commit([aChange(waiting, { type: 'cancel' })]));
      expect(store.claim('ocr', 'n1', 9, TASK_TIME_MS)).toEqual([]);
      const big = aTask('big', { input: { params: { text }, files: [] } });
      const undone = Promise.allSettled([cancel, store.submit(aSubmission([big]))]);
      expect(await undone).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
      database.prepare(`PRAGMA max_page_count = ${pages + 1_000}`).get();
      expect(await claimed()).toEqual(['t2']);
    }));
});

const text = 'x'.repeat(200_000);

/** What is written from now on waits for the end of the turn. */
function beginTurn(database: SqliteDatabase): void {
  for (let time = 0; time < 1_000; time += 1) {
    const kept = database.group(() => 0);
    if (!(kept instanceof Promise)) continue;
    // Whoever writes with it is told.
    kept.catch(() => undefined);
    return;
  }
  throw new Error('writes share no turn');
}
