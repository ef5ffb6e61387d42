import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { parseOriginSettings } from '@headwater/shared/protocol/settings';
import { newTask, stepTask } from '@headwater/shared/tasks/task-machine';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { expect, it } from 'vitest';
import { withSqliteFolder } from '../testing/sqlite-folder.ts';
import { openLocalTasks } from './local-tasks.ts';
import type { TaskStorage } from './origin-storage.ts';

async function* bytesOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

const runtime = {
  types: ['test'],
  settings: parseOriginSettings({}).tasks,
  clock: { nowMs: Date.now },
  logger: createSilentLogger(),
};

async function submit({ store, blobs }: TaskStorage, id: string): Promise<string> {
  const { blob, bytes } = await blobs.put(bytesOf(id), 100);
  const task = newTask({
    id,
    type: 'test',
    owner: 'ann',
    priority: 5,
    timeoutMs: 1_000,
    maxAttempts: 1,
    createdAtMs: 0,
    input: { params: {}, files: [{ field: 'image', blob, bytes, mediaType: 'image/png' }] },
  });
  await store.submit({ tasks: [task], maxQueuedPerOwner: 9, maxQueued: 9 });
  return blob;
}

it('TASK-51: a start deletes the files that no task has, and keeps those of tasks that wait', async () => {
  await withSqliteFolder(async ({ folder, open }) => {
    const before = await openLocalTasks(open(), folder, runtime);
    const kept = await submit(before, 'task_1');
    const ended = await submit(before, 'task_2');
    const { blob: orphan } = await before.blobs.put(bytesOf('orphan'), 100);
    const { blob: young } = await before.blobs.put(bytesOf('young'), 100);
    const [record] = await before.store.getMany(['task_2']);
    const cancel = record && stepTask(record, { type: 'cancel' }, 1, 0);
    if (cancel !== undefined) await before.store.commit([cancel]);
    await before.close();

    const blobFolder = join(folder, 'blobs');
    for (const blob of [kept, ended, orphan]) utimesSync(join(blobFolder, blob), 1, 1);
    const after = await openLocalTasks(open(), folder, runtime);
    const left = readdirSync(blobFolder).filter((name) => name.startsWith('blob_'));
    expect(left.sort()).toEqual([kept, young].sort());
    expect((await after.store.get('task_1'))?.state.status).toBe('queued');
    await after.close();
  });
});
