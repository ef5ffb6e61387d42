import { createMemoryTaskStore } from '@headwater/shared/tasks/memory-task-store';
import type { AttemptOutcome, TaskStore } from '@headwater/shared/tasks/ports';
import { describe, expect, it, vi } from 'vitest';
import type { ScriptParams } from '../engines/script-generation/manifest.ts';
import { LOST_AFTER_MS } from '../scripts/generation-archive.ts';
import { taskIdOf } from '../scripts/generation-record.ts';
import {
  ask,
  generate,
  heldWriter,
  look,
  newCaller,
  RESULT,
  scriptOnce,
  useScriptApps,
} from '../testing/ask-scripts.ts';

const openApp = useScriptApps();

describe('a script by the API', () => {
  it('SCRIPT-12: is accepted, seen while it grows, and shown as a whole in the end', async () => {
    const writer = heldWriter();
    const app = await openApp(writer);
    const caller = newCaller();
    const accepted = await generate(app, caller);
    expect(accepted.status).toBe(202);
    expect(accepted.json).toEqual({
      generation_id: expect.stringMatching(/^gen_[0-9A-Za-z]{24}$/),
      status: 'queued',
      created_at: expect.stringMatching(/Z$/),
      template_id: 'drama',
      warnings: [],
      events_url: expect.stringContaining('/events'),
    });
    const { generation_id: id } = accepted.json;
    expect(accepted.headers['location']).toBe(`/api/v1/generate/${id}`);
    const growing = await vi.waitFor(async () => {
      const { json } = await look(app, caller, id);
      expect(json).toMatchObject({ partial_text: 'A whole ', stage: 'Setup' });
      return json;
    });
    expect(growing).toMatchObject({
      ...{ status: 'running', progress: 0.5, text: null, word_count: 2, finished_at: null },
      ...{ project_id: 'proj_123', episode_id: null, length_target: 2000, error: null },
      template: { id: 'drama', version: 1 },
    });
    writer.go();
    const whole = await scriptOnce(app, caller, id, 'succeeded');
    expect(whole).toMatchObject({
      ...{ generation_id: id, text: 'A whole script.', partial_text: null, word_count: 3 },
      ...{ progress: 1, model: 'gpt-4o', warnings: ['later'] },
      finished_at: expect.stringMatching(/Z$/),
    });
  });

  it('SCRIPT-12: the engine is given the filled template and the models, and time for the length', async () => {
    const writer = heldWriter();
    const app = await openApp(writer);
    await generate(app, newCaller(), {
      ...{ length_target: 50_000, variables: { setting: 'a lighthouse' } },
      ...{ model: 'gpt-4o', fallback_models: ['gpt-4o-mini', 'gpt-4o'], temperature: 0.5 },
      ...{ tone: 'dry', language: 'de' },
    });
    await vi.waitFor(() => expect(writer.tasks).toHaveLength(1));
    const { input, timeoutMs } = writer.tasks[0]?.spec ?? {};
    const params = input?.params as unknown as ScriptParams;
    expect(params.models).toEqual(['gpt-4o', 'gpt-4o-mini']);
    expect(params.temperature).toBe(0.5);
    expect(params.brief).toMatchObject({ lengthTarget: 50_000, tone: 'dry', language: 'de' });
    expect(params.brief.template.instructions).toContain('Setting: a lighthouse.');
    expect(timeoutMs).toBe(120_000 + 5_000_000);
  });

  it.each([
    [{ length_target: 0 }, 'length_target'],
    [{ length_target: 1_000_000 }, 'length_target'],
    [{ length_target: 49 }, 'length_target'],
    [{ script_type: 'poem' }, 'script_type'],
    [{ template_id: 'nothing' }, 'template_id'],
    [{ template_id: 'comedy' }, 'template_id'],
    [{ model: 'nobody' }, 'model'],
    [{ model: 'gpt-4o', fallback_models: ['gpt-4o', 'nobody'] }, 'fallback_models.1'],
    [{ variables: { colour: 'red' } }, 'variables.colour'],
    [{ script_type: 'advertisement' }, 'variables.product'],
    [{ project_id: '..' }, 'project_id'],
    [{ project_id: undefined }, 'project_id'],
    [{ title: 'a\0' }, 'title'],
    [{ temperature: 3 }, 'temperature'],
  ])(
    'SCRIPT-5: what cannot be written is refused by its field, and leaves nothing: %j',
    async (more, path) => {
      const app = await openApp();
      const caller = newCaller();
      const { status, json } = await generate(app, caller, more);
      expect(status).toBe(400);
      expect(json.error.code).toBe('validation_failed');
      expect(json.error.details.fields.map((field: { path: string }) => field.path)).toContain(
        path,
      );
      expect((await ask(app, caller, 'GET', '/api/v1/generate')).json.generations).toEqual([]);
    },
  );

  it('SCRIPT-12: a callback may go where callbacks may, and is sent in the end', async () => {
    const app = await openApp();
    const refused = await generate(app, newCaller(), { callback_url: 'http://127.0.0.1/x' });
    expect(refused.json.error.details.fields[0].path).toBe('callback_url');
    const { json } = await generate(app, newCaller(), { callback_url: 'https://example.com/x' });
    await vi.waitFor(() => expect(app.sent).toHaveLength(1));
    expect(JSON.parse(app.sent[0]?.body ?? '')).toMatchObject({
      task_id: taskIdOf(json.generation_id),
      result: { text: 'A whole script.' },
    });
  });

  it('SCRIPT-4: another caller’s is not found, nor followed, nor stopped', async () => {
    const app = await openApp();
    const { json } = await generate(app, newCaller());
    const url = `/api/v1/generate/${json.generation_id}`;
    for (const [method, path] of [
      ['GET', url],
      ['DELETE', url],
      ['GET', `${url}/events`],
      ['GET', '/api/v1/generate/gen_nothing'],
    ] as const) {
      const answer = await ask(app, 'another', method, path);
      expect(answer.status).toBe(404);
    }
    expect((await ask(app, 'another', 'GET', '/api/v1/generate')).json.generations).toEqual([]);
  });

  it('SCRIPT-15: are listed by project with their newest state', async () => {
    const app = await openApp();
    const caller = newCaller();
    const first = (await generate(app, caller)).json.generation_id;
    const second = (await generate(app, caller, { project_id: 'other' })).json.generation_id;
    await scriptOnce(app, caller, first, 'succeeded');
    const list = (query: string) => ask(app, caller, 'GET', `/api/v1/generate${query}`);
    const { json } = await list('?limit=1');
    expect(json.generations[0].generation_id).toBe(second);
    expect(json.generations[0]).not.toHaveProperty('text');
    const rest = await list(`?limit=1&after=${json.next_after}`);
    expect(rest.json).toMatchObject({
      generations: [{ generation_id: first, status: 'succeeded', word_count: 3 }],
      next_after: null,
    });
    const { generations } = (await list('?project_id=other')).json;
    expect(generations).toHaveLength(1);
    expect((await list('?limit=0')).status).toBe(400);
  });
});

describe('the same script asked for again', () => {
  const KEY = { 'idempotency-key': 'k-1' };

  it('SCRIPT-13: is the same one, and another request with the key is none', async () => {
    const app = await openApp();
    const caller = newCaller();
    const [first, second] = await Promise.all([
      generate(app, caller, {}, KEY),
      generate(app, caller, { stream: true }, KEY),
    ]);
    expect(second.json.generation_id).toBe(first.json.generation_id);
    expect(
      [first, second].filter(({ headers }) => headers['idempotent-replayed'] === 'true'),
    ).toHaveLength(1);
    const other = await generate(app, caller, { title: 'Another' }, KEY);
    expect(other.status).toBe(422);
    const stranger = await generate(app, newCaller(), {}, KEY);
    expect(stranger.json.generation_id).not.toBe(first.json.generation_id);
    expect((await ask(app, caller, 'GET', '/api/v1/generate')).json.generations).toHaveLength(1);
  });

  it('SCRIPT-13: one whose process died before its task was kept is begun, under the same id', async () => {
    const inner = createMemoryTaskStore();
    let isDead = true;
    const store: TaskStore = {
      ...inner,
      submit: (submission) => {
        if (isDead) throw new Error('killed');
        return inner.submit(submission);
      },
    };
    const app = await openApp({ store });
    const caller = newCaller();
    expect((await generate(app, caller, {}, KEY)).status).toBe(500);
    const [lost] = (await ask(app, caller, 'GET', '/api/v1/generate')).json.generations;
    expect(lost.status).toBe('queued');
    isDead = false;
    const again = await generate(app, caller, {}, KEY);
    expect(again.json.generation_id).toBe(lost.generation_id);
    expect((await scriptOnce(app, caller, lost.generation_id, 'succeeded')).text).toBe(RESULT.text);
  });
});

describe('the end of a script', () => {
  it('SCRIPT-14: is noted with a look, and outlives its task', async () => {
    const inner = createMemoryTaskStore();
    const app = await openApp({ store: inner });
    const caller = newCaller();
    const { generation_id: id } = (await generate(app, caller)).json;
    await scriptOnce(app, caller, id, 'succeeded');
    await inner.forget(Date.now() + 1e9, 100);
    expect(await inner.get(taskIdOf(id))).toBeUndefined();
    expect((await look(app, caller, id)).json).toMatchObject({ text: RESULT.text, word_count: 3 });
    const events = await ask(app, caller, 'GET', `/api/v1/generate/${id}/events`);
    expect(events.status).toBe(410);
  });

  it('SCRIPT-14: is noted by a sweep, of any instance, though nobody looks', async () => {
    const inner = createMemoryTaskStore();
    const app = await openApp({ store: inner });
    const caller = newCaller();
    const { generation_id: id } = (await generate(app, caller)).json;
    await vi.waitFor(async () => {
      expect((await inner.get(taskIdOf(id)))?.state.status).toBe('succeeded');
    });
    const other = await openApp({ store: inner, runs: false });
    await Promise.all([app.scripts.start(), other.scripts.start()]);
    await inner.forget(Date.now() + 1e9, 100);
    expect((await look(app, caller, id)).json.text).toBe(RESULT.text);
  });

  it('SCRIPT-14: a failure and a time-out keep their reason and what was written', async () => {
    const outcomes: AttemptOutcome[] = [
      { type: 'failed', error: { code: 'processing_failed', message: 'The model gave no text.' } },
      { type: 'timed-out' },
    ];
    const app = await openApp({
      run: async (_, news) => {
        news({ type: 'text', text: 'Half a scene.' });
        return outcomes.shift() ?? { type: 'timed-out' };
      },
    });
    const caller = newCaller();
    const first = (await generate(app, caller)).json.generation_id;
    expect(await scriptOnce(app, caller, first, 'failed')).toMatchObject({
      error: { code: 'processing_failed', message: 'The model gave no text.' },
      ...{ partial_text: 'Half a scene.', text: null, word_count: 3 },
    });
    const second = (await generate(app, caller)).json.generation_id;
    expect(await scriptOnce(app, caller, second, 'timed_out')).toMatchObject({
      error: { code: 'upstream_timeout', message: expect.stringContaining('within 320 s') },
    });
  });

  it('SCRIPT-3: a stop keeps what was written; again changes nothing', async () => {
    const writer = heldWriter();
    const app = await openApp(writer);
    const caller = newCaller();
    const { generation_id: id } = (await generate(app, caller)).json;
    await vi.waitFor(async () => {
      expect((await look(app, caller, id)).json.partial_text).toBe('A whole ');
    });
    const stopped = await ask(app, caller, 'DELETE', `/api/v1/generate/${id}`);
    expect(stopped.status).toBe(200);
    expect(stopped.json).toMatchObject({
      status: 'canceled',
      partial_text: 'A whole ',
      text: null,
    });
    const again = await ask(app, caller, 'DELETE', `/api/v1/generate/${id}`);
    expect(again.json).toEqual(stopped.json);
  });

  it('SCRIPT-14: a row that has no task a minute later is failed clearly', async () => {
    let nowMs = Date.now();
    const inner = createMemoryTaskStore();
    const store: TaskStore = {
      ...inner,
      submit: () => {
        throw new Error('killed');
      },
    };
    const app = await openApp({ store, clock: { nowMs: () => nowMs }, runs: false });
    const caller = newCaller();
    await generate(app, caller);
    const states = async () => (await ask(app, caller, 'GET', '/api/v1/generate')).json.generations;
    await app.scripts.start();
    expect((await states())[0].status).toBe('queued');
    nowMs += LOST_AFTER_MS;
    await app.scripts.start();
    expect((await states())[0]).toMatchObject({
      status: 'failed',
      error: { code: 'processing_failed' },
    });
  });

  it('SCRIPT-12: what is refused for too many leaves no row', async () => {
    const app = await openApp({ env: { MAX_QUEUED_TASKS_PER_SUBJECT: '1' }, runs: false });
    const caller = newCaller();
    expect((await generate(app, caller)).status).toBe(202);
    expect((await generate(app, caller)).status).toBe(429);
    expect((await ask(app, caller, 'GET', '/api/v1/generate')).json.generations).toHaveLength(1);
  });
});
