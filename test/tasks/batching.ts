/** Several tasks in one request. */

import type { BatchView } from '@headwater/shared/tasks/task-view';
import { expect, it } from 'vitest';
import { dataUrl, pixelBomb, png } from './pictures.ts';
import { queueStatus, quietQueue } from './quiet-queue.ts';
import type { TaskWorld } from './task-world.ts';

const BATCH = '/api/v1/tasks/batch';

/** Adds the tests. */
export function describeBatching(world: () => TaskWorld): void {
  it('TASK-39, TASK-14: each entry has a task or its own refusal, in the order of sending', async () => {
    const caller = await world().caller('batches');
    const tasks = [
      { type: 'test', echo: 'first' },
      { type: 'test', priority: 0 },
      { type: 'test', image: dataUrl(png(5, 4)), decode: true },
      { type: 'dance' },
      { type: 'test', image: dataUrl(pixelBomb()) },
      { type: 'ocr' },
      { type: 'test', fail: { code: 'conflict' } },
    ];
    const { status, headers, body } = await caller.ask<BatchView>('POST', BATCH, { tasks });
    expect(status).toBe(202);
    const { pathname } = new URL(headers.get('location') ?? '', world().host.baseUrl);
    expect(pathname).toBe(`/api/v1/tasks/${body.batch_id}`);
    const done = await caller.ask<BatchView>('GET', pathname, undefined, { prefer: 'wait=20' });
    expect(done.body).toMatchObject({
      batch_id: body.batch_id,
      status: 'finished',
      total: 7,
      counts: { succeeded: 2, failed: 1, rejected: 4 },
    });
    expect(done.body.tasks).toMatchObject([
      { index: 0, status: 'succeeded', batch_id: body.batch_id },
      { index: 1, status: 'rejected', error: { code: 'validation_failed' } },
      { index: 2, status: 'succeeded' },
      { index: 3, status: 'rejected', error: { code: 'validation_failed' } },
      { index: 4, status: 'rejected', error: { code: 'payload_too_large' } },
      { index: 5, status: 'rejected', error: { code: 'unavailable' } },
      { index: 6, status: 'failed', error: { code: 'conflict' } },
    ]);
    const [first, , third] = done.body.tasks;
    const idOf = (entry: unknown) => (entry as { task_id: string }).task_id;
    expect(await caller.view(idOf(first))).toMatchObject({ result: { echo: 'first' } });
    expect(await caller.view(idOf(third))).toMatchObject({ result: { width: 5, height: 4 } });
    await expect.poll(() => world().host.filesLeft()).toEqual([]);
  });

  it('TASK-39: 1,000 tasks are taken; of 1,001 none is', async () => {
    const caller = await world().caller('batches-many');
    const before = await quietQueue(caller);
    const entry = { type: 'test' };
    const tooMany = await caller.ask('POST', BATCH, { tasks: new Array(1_001).fill(entry) });
    expect([tooMany.status, tooMany.body]).toMatchObject([
      400,
      { error: { code: 'validation_failed' } },
    ]);
    expect(await queueStatus(caller)).toEqual(before);
    const most = await caller.ask<BatchView>('POST', BATCH, {
      tasks: new Array(1_000).fill(entry),
    });
    expect([most.status, most.body.total]).toEqual([202, 1_000]);
    const canceled = await caller.ask<BatchView>('DELETE', `/api/v1/tasks/${most.body.batch_id}`);
    const { counts } = canceled.body;
    expect(counts.succeeded + counts.canceled).toBe(1_000);
  });

  it('TASK-40: DELETE of a batch ends what is not over, and leaves what is', async () => {
    const caller = await world().caller('batches-cancel');
    const tasks = [
      { type: 'test', echo: 'quick', priority: 10 },
      ...new Array(8).fill({ type: 'test', sleepMs: 60_000 }),
    ];
    const { body } = await caller.ask<BatchView>('POST', BATCH, { tasks });
    const [quick] = body.tasks as readonly { task_id: string }[];
    await caller.ended(quick?.task_id ?? '');
    const { status, body: canceled } = await caller.ask<BatchView>(
      'DELETE',
      `/api/v1/tasks/${body.batch_id}`,
    );
    expect(status).toBe(200);
    expect(canceled).toMatchObject({
      status: 'finished',
      counts: { succeeded: 1, canceled: 8, queued: 0, running: 0 },
    });
    const another = await world().caller('batches-other');
    expect((await another.ask('GET', `/api/v1/tasks/${body.batch_id}`)).status).toBe(404);
    expect((await another.ask('DELETE', `/api/v1/tasks/${body.batch_id}`)).status).toBe(404);
  });

  it('INPUT-9: a body that is no batch is refused', async () => {
    const caller = await world().caller('batches-bad');
    for (const bad of [{}, { tasks: [] }, { tasks: 'all' }, { tasks: [{}], other: 1 }, []]) {
      const { status, body } = await caller.ask('POST', BATCH, bad);
      expect([status, body]).toMatchObject([400, { error: { code: 'validation_failed' } }]);
    }
  });
}
