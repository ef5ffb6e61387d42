import { createMemoryTaskStore } from '@headwater/shared/tasks/memory-task-store';
import { afterEach, expect, it, vi } from 'vitest';
import { ask, ended, submit } from '../testing/ask-tasks.ts';
import { openTaskApp, type TaskApp, type TaskAppOptions } from '../testing/task-app.ts';

let opened: TaskApp[] = [];

async function open(options: Partial<TaskAppOptions> = {}): Promise<TaskApp> {
  const app = await openTaskApp({ store: createMemoryTaskStore(), ...options });
  opened.push(app);
  return app;
}

afterEach(async () => {
  await Promise.all(opened.map((app) => app.close()));
  opened = [];
});

it('TASK-43: events are told as they come, and go on after the last one that was read', async () => {
  const app = await open();
  const { json } = await submit(app, { say: ['Hel', 'lo\n!'] });
  await ended(app, json.task_id);
  const path = `/api/v1/tasks/${json.task_id}/events`;
  const all = await ask(app, 'GET', `${path}?format=json`);
  expect(all.headers['content-type']).toContain('text/event-stream');
  const events = [...all.text.matchAll(/^id: (.+)\ndata: (.+)$/gm)].map(([, id, data]) => ({
    id: id ?? '',
    event: JSON.parse(data ?? '') as { type: string; text?: string },
  }));
  expect(events.map(({ event }) => event.type)).toEqual(
    expect.arrayContaining(['progress', 'delta', 'done']),
  );
  const said = events.map(({ event }) => event.text ?? '').join('');
  expect(said).toBe('Hello\n!');
  const at = events.findIndex(({ event }) => event.type === 'delta');
  const rest = await ask(app, 'GET', `${path}?format=json`, {
    headers: { 'last-event-id': events[at]?.id ?? '' },
  });
  expect([...rest.text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id)).toEqual(
    events.slice(at + 1).map(({ id }) => id),
  );
  const last = events.at(-1)?.id ?? '';
  expect((await ask(app, 'GET', `${path}?last_event_id=${last}`)).status).toBe(204);
  expect((await ask(app, 'GET', `${path}?format=xml`)).status).toBe(400);
  const text = await ask(app, 'GET', path);
  expect(text.text).toContain('data: [DONE]');
});

it('TASK-43: a reader that is there sees a task end', async () => {
  const app = await open();
  const { json } = await submit(app, { hold: true, say: ['one'] });
  const path = `/api/v1/tasks/${json.task_id}/events?format=json`;
  await vi.waitFor(() => expect(app.pool.held).toHaveLength(1));
  const reading = ask(app, 'GET', path);
  await vi.waitFor(() => expect(app.watches).toBe(1));
  app.pool.release(json.task_id);
  expect((await reading).text).toContain('"type":"done"');
});

it('TASK-43: HEAD reads nothing, and a batch has no events', async () => {
  const app = await open({ runs: false });
  const { json } = await submit(app, {});
  const head = await ask(app, 'HEAD', `/api/v1/tasks/${json.task_id}/events`);
  expect([head.status, head.text]).toEqual([200, '']);
  expect((await ask(app, 'HEAD', `/api/v1/tasks/${json.task_id}`)).status).toBe(200);
  const batch = await ask(app, 'POST', '/api/v1/tasks/batch', {
    body: { tasks: [{ type: 'test' }] },
  });
  const events = await ask(app, 'GET', `/api/v1/tasks/${batch.json.batch_id}/events`);
  expect([events.status, events.json.error.code]).toEqual([400, 'validation_failed']);
});
