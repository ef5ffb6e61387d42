/** The same request again. */

import type { BatchView } from '@headwater/shared/tasks/task-view';
import { expect, it } from 'vitest';
import { pictureForm, png } from './pictures.ts';
import type { TaskWorld } from './task-world.ts';

/** Adds the tests. */
export function describeRepeating(world: () => TaskWorld): void {
  it('TASK-37, QUEUE-2: the same key and request is the same task; another request is 422', async () => {
    const caller = await world().caller('repeats');
    const key = { 'idempotency-key': 'repeats-1' };
    const first = await caller.submit({ echo: 1 }, key);
    const again = await caller.submit({ echo: 1 }, key);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body.task_id).toBe(first.body.task_id);
    const other = await caller.submit({ echo: 2 }, key);
    expect([other.status, other.body]).toMatchObject([422, { error: { code: 'unprocessable' } }]);
    await caller.ended(first.body.task_id);
    const late = await caller.submit({ echo: 1 }, { ...key, prefer: 'wait=5' });
    expect(late.body).toMatchObject({ task_id: first.body.task_id, status: 'succeeded' });
  });

  it('TASK-37: a key is the caller’s own', async () => {
    const key = { 'idempotency-key': 'shared-key' };
    const ids = await Promise.all(
      ['repeats-a', 'repeats-b'].map(async (subject) =>
        (await world().caller(subject)).accept({ echo: 1 }, key),
      ),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it('TASK-37, QUEUE-2: twenty at once are one task, and it runs once', async () => {
    const caller = await world().caller('repeats-at-once');
    const headers = { 'idempotency-key': 'repeats-20' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => caller.submit({ echo: 'one' }, headers)),
    );
    expect(answers.map(({ status }) => status)).toEqual(new Array(20).fill(202));
    const ids = new Set(answers.map(({ body }) => body.task_id));
    expect(ids.size).toBe(1);
    expect(await caller.ended([...ids][0] ?? '')).toMatchObject({
      status: 'succeeded',
      attempts: 1,
    });
  });

  it('TASK-37: files count for the request, and those of a repeated one are not kept', async () => {
    const caller = await world().caller('repeats-files');
    const headers = { 'idempotency-key': 'repeats-files' };
    const form = (size: number) => pictureForm(png(size, size), { decode: 'true' });
    const first = await caller.accept(form(8), headers);
    expect(await caller.accept(form(8), headers)).toBe(first);
    expect((await caller.submit(form(9), headers)).status).toBe(422);
    expect(await caller.ended(first)).toMatchObject({ result: { width: 8 } });
    await expect.poll(() => world().host.filesLeft()).toEqual([]);
  });

  it('TASK-37: a batch is repeated as a whole', async () => {
    const caller = await world().caller('repeats-batch');
    const headers = { 'idempotency-key': 'repeats-batch' };
    const ask = (echo: number) =>
      caller.ask<BatchView>(
        'POST',
        '/api/v1/tasks/batch',
        { tasks: [{ type: 'test', echo }, { type: 'test' }] },
        headers,
      );
    const [first, again, other] = [await ask(1), await ask(1), await ask(2)];
    expect(again.body.batch_id).toBe(first.body.batch_id);
    expect(other.status).toBe(422);
  });

  it('TASK-37: a key that is none is refused', async () => {
    const caller = await world().caller('repeats-bad');
    const { status } = await caller.submit({}, { 'idempotency-key': 'x'.repeat(256) });
    expect(status).toBe(400);
  });
}
