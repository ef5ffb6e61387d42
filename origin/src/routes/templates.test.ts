import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../database/open-database.ts';
import type { ScriptParams } from '../engines/script-generation/manifest.ts';
import {
  ask,
  generate,
  heldWriter,
  look,
  newCaller,
  scriptOnce,
  useScriptApps,
} from '../testing/ask-scripts.ts';
import { INTERNAL_KEY } from '../testing/script-app.ts';

const openApp = useScriptApps();

describe('a script that is followed', () => {
  it('SCRIPT-2: by its own address, which opens it and nothing else', async () => {
    const writer = heldWriter();
    const app = await openApp(writer);
    const caller = newCaller();
    const { json } = await generate(app, caller, { stream: true });
    const other = await generate(app, caller, { stream: true });
    await app.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.app.server.address() as AddressInfo;
    const at = (url: string) => {
      const { pathname, search } = new URL(url);
      return `http://127.0.0.1:${port}${pathname}${search}`;
    };
    writer.go();
    const text = await (await fetch(`${at(json.stream_url)}&format=json`)).text();
    expect(text).toContain('"type":"delta","text":"A whole "');
    expect(text).toContain('"type":"done","status":"completed"');
    const token = new URL(other.json.stream_url).searchParams.get('access_token');
    const wrong = await fetch(`${at(json.events_url)}?access_token=${token}`);
    expect(wrong.status).toBe(403);
    expect((await fetch(at(json.events_url))).status).toBe(401);
    const own = await fetch(at(json.events_url), {
      headers: { 'x-api-key': INTERNAL_KEY, 'x-headwater-subject': caller },
    });
    expect(await own.text()).toContain('data: A whole');
  });
});

describe('a project that is checked', () => {
  it('SCRIPT-19: an unknown one is refused; what is known of it is told to the model', async () => {
    const writer = heldWriter();
    const asked: string[] = [];
    const app = await openApp({
      run: writer.run,
      env: { PROJECT_SERVICE_URL: 'http://projects.test' },
      fetch: async (url) => {
        asked.push(String(url));
        if (String(url).endsWith('/gone')) return new Response('', { status: 404 });
        return Response.json({ title: 'House', description: 'A house.' });
      },
    });
    const refused = await generate(app, newCaller(), { project_id: 'gone' });
    expect(refused.json.error.details.fields[0].path).toBe('project_id');
    await generate(app, newCaller());
    await vi.waitFor(() => expect(writer.tasks).toHaveLength(1));
    const params = writer.tasks[0]?.spec.input.params as unknown as ScriptParams;
    expect(params.brief.project).toEqual({ title: 'House', description: 'A house.' });
    expect(asked.at(-1)).toBe('http://projects.test/projects/proj_123');
  });

  it('SCRIPT-20: a service that is away costs a warning', async () => {
    const app = await openApp({
      env: { PROJECT_SERVICE_URL: 'http://projects.test' },
      fetch: () => Promise.reject(new TypeError('fetch failed')),
    });
    const caller = newCaller();
    const { status, json } = await generate(app, caller);
    expect(status).toBe(202);
    const warning = 'project service is away: project was not checked';
    expect(json.warnings).toEqual([warning]);
    const whole = await scriptOnce(app, caller, json.generation_id, 'succeeded');
    expect(whole.warnings).toEqual([warning, 'later']);
  });
});

describe('templates by the API', () => {
  const OWN = {
    ...{
      script_type: 'sermon',
      name: 'Sermon',
      description: 'One.',
      instructions: 'On {{verse}}.',
    },
    variables: [{ name: 'verse', description: 'The verse.', required: true }],
    parts: [{ name: 'All', purpose: 'Say it.', share: 1 }],
  };

  it('SCRIPT-17: built-in ones are there for everybody, one’s own beside them', async () => {
    const app = await openApp();
    const caller = newCaller();
    const made = await ask(app, caller, 'POST', '/api/v1/templates', { id: 'mine', ...OWN });
    expect(made.status).toBe(201);
    expect(made.headers['location']).toBe('/api/v1/templates/mine');
    const all = (await ask(app, caller, 'GET', '/api/v1/templates')).json.templates;
    expect(all.map(({ id }: { id: string }) => id)).toEqual(
      expect.arrayContaining(['drama', 'podcast', 'mine']),
    );
    const some = await ask(app, caller, 'GET', '/api/v1/templates?script_type=sermon');
    expect(some.json.templates).toEqual([made.json]);
    const next = await ask(app, caller, 'PUT', '/api/v1/templates/mine', { ...OWN, name: 'B' });
    expect(next.json).toMatchObject({ version: 2, name: 'B' });
    expect((await ask(app, 'other', 'GET', '/api/v1/templates/mine')).status).toBe(404);
    expect((await ask(app, caller, 'GET', '/api/v1/templates/drama')).json.is_built_in).toBe(true);

    const wants = { script_type: 'sermon', length_target: undefined };
    const refused = await generate(app, caller, wants);
    expect(refused.json.error.details.fields[0].path).toBe('variables.verse');
    const { json } = await generate(app, caller, { ...wants, variables: { verse: 'John 1' } });
    expect(json.template_id).toBe('mine');
    const gone = await ask(app, caller, 'DELETE', '/api/v1/templates/mine');
    expect(gone.status).toBe(204);
    const shown = (await look(app, caller, json.generation_id)).json;
    expect(shown).toMatchObject({ template: { id: 'mine', version: 2 }, length_target: 1_000 });
  });

  it('SCRIPT-17: a fault is told by its field', async () => {
    const app = await openApp();
    const caller = newCaller();
    const refused = await ask(app, caller, 'POST', '/api/v1/templates', {
      ...{ ...OWN, id: 'drama', parts: [{ name: 'All', purpose: 'It.', share: 0.5 }] },
    });
    expect(refused.status).toBe(400);
    expect(refused.json.error.details.fields[0].path).toBe('parts');
    const moved = await ask(app, caller, 'PUT', '/api/v1/templates/one', { ...OWN, id: 'two' });
    expect(moved.json.error.details.fields[0].path).toBe('id');
    const form = await app.app.inject({
      ...{ method: 'POST', url: '/api/v1/templates', payload: '{}' },
      headers: { 'x-api-key': INTERNAL_KEY, 'content-type': 'text/plain' },
    });
    expect(form.statusCode).toBe(415);
    const nobody = await app.app.inject({ method: 'GET', url: '/api/v1/templates' });
    expect(nobody.statusCode).toBe(401);
  });
});

describe('a cluster without a database', () => {
  it('SCRIPT-16: says which setting is missing', async () => {
    const none = openDatabase({ redisUrl: 'redis://x', dataDir: 'd' }, { ...console });
    const app = await openApp({ database: none });
    for (const answer of [
      await generate(app, newCaller()),
      await look(app, newCaller(), `gen_${'a'.repeat(24)}`),
    ]) {
      expect(answer.status).toBe(503);
      expect(answer.json.error.message).toContain('DATABASE_URL');
    }
    await app.scripts.start();
  });
});
