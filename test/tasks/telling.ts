/** Callbacks of tasks. */

import { deriveWebhookSecret } from '@headwater/shared/security/webhook-signature';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { TEST_SECRET } from '../hosts/gateway-client.ts';
import type { TaskWorld } from './task-world.ts';

/** Adds the tests. */
export function describeTelling(world: () => TaskWorld): void {
  it('TASK-41, TASK-5: the end of a task is told, signed, until it is taken, and once in effect', async () => {
    const { receiver } = world();
    const caller = await world().caller('tells');
    const callbackUrl = receiver.urlFor('tells', [{ status: 503 }]);
    const id = await caller.accept({ echo: 'told', callbackUrl });
    const told = await receiver.attempt('tells', 1);
    const webhook = new Webhook(await deriveWebhookSecret(TEST_SECRET));
    expect(() => webhook.verify(told.raw, { ...told.headers })).not.toThrow();
    expect(() => webhook.verify(`${told.raw} `, { ...told.headers })).toThrow();
    const task = await caller.once(id, ({ callback }) => callback?.status === 'delivered');
    expect(task.callback).toEqual({ status: 'delivered', attempts: 2, last_status: 200 });
    const { callback: _callback, ...shown } = task;
    expect(told.body).toEqual(shown);
    const attempts = receiver.received('tells');
    expect(attempts).toHaveLength(2);
    expect(new Set(attempts.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(attempts.map(({ raw }) => raw)).size).toBe(1);
  });

  it('TASK-41: whatever the end is, the callback says the same as the task', async () => {
    const { receiver } = world();
    const caller = await world().caller('tells-all');
    const fields = {
      canceled: { sleepMs: 20_000 },
      failed: { fail: { code: 'forbidden' } },
      timed_out: { sleepMs: 20_000, timeoutSeconds: 1 },
    };
    await Promise.all(
      Object.entries(fields).map(async ([status, field]) => {
        const callbackUrl = receiver.urlFor(`tells-${status}`);
        const id = await caller.accept({ ...field, callbackUrl });
        if (status === 'canceled') await caller.cancel(id);
        const { body } = await receiver.attempt(`tells-${status}`);
        expect(body).toMatchObject({ task_id: id, status, result: null });
        const { callback: _callback, ...shown } = await caller.view(id);
        expect(body).toEqual(shown);
      }),
    );
  });

  it('CALLBACK-3: a callback to a private address is refused with its field, and nothing is kept', async () => {
    const caller = await world().caller('tells-inward');
    const { status, body } = await caller.submit({ callbackUrl: 'http://10.0.0.1/' });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 'validation_failed' } });
    expect(JSON.stringify(body)).toContain('callbackUrl');
  });
}
