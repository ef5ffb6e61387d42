/** What whoever runs the gateway sees of its tasks. */

import { expect, it } from 'vitest';
import { keepBusy } from './hands.ts';
import { queueStatus, quietQueue } from './quiet-queue.ts';
import { INTERNAL_KEY, WORKERS } from './task-node.ts';
import type { TaskWorld } from './task-world.ts';

/** Adds the tests. */
export function describeWatching(world: () => TaskWorld): void {
  it('TASK-46, QUEUE-12: the queue says what waits, runs and is over, by type', async () => {
    const caller = await world().caller('watches');
    const before = await quietQueue(caller);
    const busy = await keepBusy(world(), 1);
    const now = await queueStatus(caller);
    expect(now).toMatchObject({ running: 1, nodes: world().host.nodes.length });
    expect(now.types['test']?.running).toBe(1);
    await busy.end();
    await caller.submit({}, { prefer: 'wait=20' });
    expect((await quietQueue(caller)).succeeded).toBe(before.succeeded + 1);
  });

  it('TASK-46: health says which engines are live, and how the node is', async () => {
    const caller = await world().caller('watches-health');
    const { status, body } = await caller.ask('GET', '/api/v1/health/detailed');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'ok',
      engines: { test: { live: true }, ocr: { live: false, missing: expect.any(String) } },
      providers: { openai: { live: true } },
      storage: { status: 'up' },
      nodes: { live: world().host.nodes.length },
      workers: { max: WORKERS },
      memory: { rssBytes: expect.any(Number) },
      eventLoop: { p99Ms: expect.any(Number) },
    });
  });

  it('TASK-48, TASK-49: metrics are for the holder of the internal key, and count', async () => {
    const caller = await world().caller('watches-metrics');
    await caller.submit({}, { prefer: 'wait=20' });
    const texts = await Promise.all(
      world().host.nodes.map(async ({ baseUrl }) => {
        const closed = await fetch(`${baseUrl}/metrics`);
        expect(closed.status).toBe(401);
        const open = await fetch(`${baseUrl}/metrics`, { headers: { 'x-api-key': INTERNAL_KEY } });
        return await open.text();
      }),
    );
    const all = texts.join('\n');
    expect(all).toMatch(/^headwater_tasks_accepted_total\{type="test"\} [1-9]/m);
    expect(all).toMatch(/^headwater_tasks_ended_total\{type="test",status="succeeded"\} [1-9]/m);
    expect(all).toMatch(/^headwater_event_loop_delay_seconds\{quantile="0.99"\} /m);
    expect(all).toMatch(/^process_cpu_seconds_total /m);
  });

  it('TASK-49: the board is for the holder of the internal key alone, and says where there is none', async () => {
    const [node] = world().host.nodes;
    const url = `${node?.baseUrl}/admin/queues`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { 'x-api-key': 'wrong' } })).status).toBe(401);
    const password = Buffer.from(`any:${INTERNAL_KEY}`).toString('base64');
    const open = await fetch(url, { headers: { authorization: `Basic ${password}` } });
    const text = await open.text();
    if ((await queueStatus(await world().caller('watches-board'))).queue === 'bullmq') {
      expect([open.status, text]).toEqual([200, expect.stringContaining('Headwater')]);
    } else {
      expect([open.status, text]).toEqual([503, expect.stringContaining('REDIS_URL')]);
    }
  });

  it('TASK-50: the description names every path of tasks', async () => {
    const response = await fetch(`${world().host.baseUrl}/openapi.json`);
    const { paths } = (await response.json()) as { paths: Record<string, unknown> };
    for (const path of [
      '/api/v1/tasks/batch',
      '/api/v1/tasks/{id}',
      '/api/v1/tasks/{id}/events',
      '/api/v1/queue/status',
    ]) {
      expect(Object.keys(paths)).toContain(path);
    }
  });

  it('LOG-3: no key, token or parameter of a task is in the log', async () => {
    const caller = await world().caller('watches-log');
    await caller.submit({ echo: 'canary-of-a-parameter' }, { prefer: 'wait=20' });
    const logs = world().host.logs();
    for (const secret of [
      'canary',
      INTERNAL_KEY,
      caller.headers['authorization']?.slice(7) ?? '-',
    ]) {
      expect(logs).not.toContain(secret);
    }
  });
}
