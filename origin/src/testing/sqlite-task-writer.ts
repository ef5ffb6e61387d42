/** A process that accepts and runs tasks, and says which it has kept, until it is killed. */

import type { TaskStore } from '@headwater/shared/tasks/ports';
import type { TaskRecord } from '@headwater/shared/tasks/task';
import { stepTask, type TaskStep } from '@headwater/shared/tasks/task-machine';
import { aSubmission, aTask, recordAfter } from '@headwater/shared/testing/task-fixtures';
import { openSqliteDatabase } from '../adapters/sqlite-database.ts';
import { openSqliteTaskStore } from '../adapters/sqlite-task-store.ts';

/** So many at once, so that their writes share commits. */
const HANDS = 8;

const NODE = 'node-1';

async function change(store: TaskStore, before: TaskRecord, step: TaskStep): Promise<TaskRecord> {
  const change = stepTask(before, step, before.spec.createdAtMs, 0);
  if (change === undefined) throw new Error('the step does not concern the task');
  await store.commit([change], NODE);
  return recordAfter(change);
}

/** Says so once it is true. */
function tell(id: string, { state }: TaskRecord): void {
  process.stdout.write(`${JSON.stringify({ id, state })}\n`);
}

async function work(store: TaskStore, hand: number): Promise<never> {
  for (let at = 0; ; at += 1) {
    const id = `t-${hand}-${at}`;
    const task = aTask(id, { owner: `o${hand}`, type: `type${hand}` });
    const idempotency = { owner: `o${hand}`, key: id, fingerprint: 'f', answerId: id };
    await store.submit(aSubmission([task], { idempotency }));
    tell(id, task);
    if (at % 4 === 0) continue;
    const [claimed] = await store.claim(`type${hand}`, NODE, 1, task.spec.createdAtMs);
    if (claimed === undefined) throw new Error('nothing could be claimed');
    let record = await change(store, claimed, { type: 'start', node: NODE });
    tell(claimed.spec.id, record);
    if (at % 4 === 1) continue;
    record = await change(store, record, { type: 'text', text: 'é' });
    const checkpoint = JSON.stringify({ of: claimed.spec.id });
    record = await change(store, record, { type: 'keep', checkpoint });
    tell(claimed.spec.id, record);
    if (at % 4 === 2) continue;
    record = await change(store, record, { type: 'succeed', result: { of: claimed.spec.id } });
    tell(claimed.spec.id, record);
  }
}

const [folder] = process.argv.slice(2);
const database = openSqliteDatabase(folder ?? '');
const store = openSqliteTaskStore(database);
await store.beat(NODE, Number.MAX_SAFE_INTEGER);
for (let hand = 0; hand < HANDS; hand += 1) void work(store, hand);
