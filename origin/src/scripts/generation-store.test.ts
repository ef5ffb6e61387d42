import { randomUUID } from 'node:crypto';
import { scriptRequestSchema } from '@headwater/shared/protocol/scripts';
import { describe, expect, it } from 'vitest';
import { newId } from '../tasks/task-id.ts';
import { describeWithDatabases } from '../testing/describe-with-databases.ts';
import {
  type GenerationOutcome,
  generationIdOf,
  isGenerationId,
  type NewGeneration,
  taskIdOf,
} from './generation-record.ts';
import { createGenerationStore } from './generation-store.ts';
import { createTemplateStore } from './template-store.ts';

function generation(owner: string, more: Partial<NewGeneration> = {}): NewGeneration {
  return {
    id: generationIdOf(newId('task')),
    owner,
    request: scriptRequestSchema.parse({
      ...{ project_id: 'p1', script_type: 'drama', title: 'A \ud800', description: 'B' },
    }),
    ...{ templateId: 'drama', templateVersion: 1, warnings: ['w'], fingerprint: 'f' },
    createdAtMs: 1_000,
    ...more,
  };
}

const DONE: GenerationOutcome = {
  ...{ status: 'succeeded', progress: 1, startedAtMs: 1_100, finishedAtMs: 1_200, error: null },
  text: 'A b\0c \ud800.',
  result: { word_count: 3, parts: [] },
};

describe('ids of scripts', () => {
  it('SCRIPT-12: are those of their tasks under another name', () => {
    const taskId = newId('task');
    expect(taskIdOf(generationIdOf(taskId))).toBe(taskId);
    expect(isGenerationId(generationIdOf(taskId))).toBe(true);
    expect(isGenerationId(taskId)).toBe(false);
  });
});

describeWithDatabases('scripts in the database', (database) => {
  const store = () => createGenerationStore(database());

  it('SCRIPT-4: are there for their owner alone, as they were asked for', async () => {
    const owner = randomUUID();
    const asked = generation(owner, { idempotencyKey: 'k' });
    expect(await store().insert(asked)).toBe(true);
    expect(await store().find(owner, asked.id)).toEqual({ ...asked, outcome: undefined });
    expect(await store().find('other', asked.id)).toBeUndefined();
    expect(await store().findByKey(owner, 'k')).toMatchObject({ id: asked.id });
    expect(await store().findByKey('other', 'k')).toBeUndefined();
    await store().remove(asked.id);
    expect(await store().find(owner, asked.id)).toBeUndefined();
  });

  it('SCRIPT-21: those that were over before a time are deleted, and no other', async () => {
    const owner = randomUUID();
    // Other tests share the database: these are older than all of theirs.
    const at = (createdAtMs: number) => generation(owner, { createdAtMs });
    const [old, open, late] = [at(10), at(10), at(10)];
    for (const each of [old, open, late]) await store().insert(each);
    await store().note(old.id, { ...DONE, finishedAtMs: 20 });
    await store().note(late.id, { ...DONE, finishedAtMs: 21 });
    expect(await store().sweep(19)).toBe(0);
    expect(await store().sweep(20)).toBe(1);
    expect(await store().find(owner, old.id)).toBeUndefined();
    expect(await store().find(owner, open.id)).toBeDefined();
    expect(await store().find(owner, late.id)).toBeDefined();
    await store().remove(open.id);
    await store().remove(late.id);
  });

  it('SCRIPT-13: a key is taken once by each caller, whoever comes at the same time', async () => {
    const owner = randomUUID();
    const taken = await Promise.all(
      Array.from({ length: 8 }, () =>
        store().insert(generation(owner, { idempotencyKey: 'same' })),
      ),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await store().insert(generation(randomUUID(), { idempotencyKey: 'same' }))).toBe(true);
    expect(await store().insert(generation(owner))).toBe(true);
    expect(await store().insert(generation(owner))).toBe(true);
  });

  it('SCRIPT-14: the first note of an end stands, without what no database takes', async () => {
    const owner = randomUUID();
    const { id } = generation(owner);
    await store().insert(generation(owner, { id }));
    await store().note(id, DONE);
    await store().note(id, { ...DONE, status: 'failed', text: 'other' });
    const { outcome } = (await store().find(owner, id)) ?? {};
    expect(outcome).toEqual({ ...DONE, text: 'A bc \ufffd.' });
    await store().reopen(id);
    expect((await store().find(owner, id))?.outcome).toBeDefined();
  });

  it('SCRIPT-14: one that was given up too early is taken back', async () => {
    const owner = randomUUID();
    const { id } = generation(owner);
    await store().insert(generation(owner, { id }));
    const error = { code: 'processing_failed' as const, message: 'Gone.' };
    await store().note(id, { ...DONE, status: 'failed', error, result: null, startedAtMs: null });
    await store().reopen(id);
    expect((await store().find(owner, id))?.outcome).toBeUndefined();
  });

  it('SCRIPT-15: are listed newest first, by pages, and by project', async () => {
    const owner = randomUUID();
    const made = [3, 1, 2, 2].map((createdAtMs, at) => {
      const one = generation(owner, { createdAtMs });
      return at === 0 ? { ...one, request: { ...one.request, project_id: 'p2' } } : one;
    });
    for (const one of made) await store().insert(one);
    const whole = (await store().list(owner, { limit: 10 })).map(({ id }) => id);
    expect(whole[0]).toBe(made[0]?.id);
    expect(whole[3]).toBe(made[1]?.id);
    const paged: string[] = [];
    for (let after: string | undefined; ; after = paged.at(-1)) {
      const page = await store().list(owner, { limit: 1, after });
      if (page.length === 0) break;
      paged.push(...page.map(({ id }) => id));
    }
    expect(paged).toEqual(whole);
    const [only, ...rest] = await store().list(owner, { projectId: 'p2', limit: 10 });
    expect(only?.id).toBe(made[0]?.id);
    expect(rest).toEqual([]);
    expect(await store().list(owner, { after: 'gen_nothing', limit: 10 })).toEqual([]);
  });

  it('SCRIPT-14: those that are not over are found, oldest first', async () => {
    const owner = randomUUID();
    const made = [5, 6, 6, 7].map((n) => generation(owner, { createdAtMs: n }));
    for (const one of made) await store().insert(one);
    await store().note(made[3]?.id ?? '', DONE);
    const open: string[] = [];
    let after = { createdAtMs: 4, id: '' };
    for (;;) {
      const page = await store().open(after, 1);
      const last = page.at(-1);
      if (last === undefined || last.createdAtMs > 7) break;
      if (last.owner === owner) open.push(last.id);
      after = last;
    }
    expect(open.toSorted()).toEqual(
      made
        .slice(0, 3)
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  describe('templates of callers', () => {
    let nowMs = 1_000;
    const store = () => createTemplateStore(database(), { nowMs: () => (nowMs += 1) });
    const body = {
      ...{ script_type: 'sermon', name: 'Sermon', description: 'One.', variables: [] },
      ...{ instructions: 'Write.', default_length: 300 },
      parts: [{ name: 'All', purpose: 'Say it.', share: 1 }],
    };

    it('SCRIPT-17: a change makes a version, and each is seen by its owner alone', async () => {
      const owner = randomUUID();
      const made = await store().create(owner, { id: 'mine', body });
      expect(made).toEqual({ id: 'mine', version: 1, ...body, is_built_in: false });
      const next = await store().replace(owner, 'mine', { ...body, name: 'Better' });
      expect(next).toMatchObject({ version: 2, name: 'Better' });
      expect(await store().find(owner, 'mine')).toEqual(next);
      expect(await store().find(owner, 'mine', 1)).toEqual(made);
      expect((await store().list(owner, 'sermon')).map(({ version }) => version)).toEqual([2]);
      for (const refused of [
        () => store().find('other', 'mine'),
        () => store().replace('other', 'mine', body),
        () => store().remove('other', 'mine'),
        () => store().find(owner, 'mine', 9),
      ]) {
        await expect(refused()).rejects.toMatchObject({ code: 'not_found' });
      }
      expect(await store().list('other', 'sermon')).toEqual([]);
      await store().create('other', { id: 'mine', body });
      await store().remove(owner, 'mine');
      expect(await store().list(owner, 'sermon')).toEqual([]);
      await store().remove('other', 'mine');
    });

    it('SCRIPT-17: ids of the gateway are reserved, and one’s own are taken once', async () => {
      const owner = randomUUID();
      await expect(store().create(owner, { id: 'drama', body })).rejects.toMatchObject({
        code: 'validation_failed',
        details: { fields: [{ path: 'id' }] },
      });
      await expect(store().replace(owner, 'drama', body)).rejects.toMatchObject({
        code: 'forbidden',
      });
      await expect(store().remove(owner, 'drama')).rejects.toMatchObject({ code: 'forbidden' });
      await store().create(owner, { id: 'own', body });
      await expect(store().create(owner, { id: 'own', body })).rejects.toMatchObject({
        code: 'conflict',
      });
      const named = await store().create(owner, { body });
      expect(named.id).toMatch(/^tpl-[0-9a-z]{24}$/);
    });

    it('SCRIPT-18: a script has the built-in template of its type, else the newest of its caller', async () => {
      const owner = randomUUID();
      await store().create(owner, { id: 'old', body });
      await store().create(owner, { id: 'new', body });
      expect(await store().choose(owner, 'drama', undefined)).toMatchObject({ id: 'drama' });
      expect(await store().choose(owner, 'sermon', undefined)).toMatchObject({ id: 'new' });
      expect(await store().choose(owner, 'sermon', 'old')).toMatchObject({ id: 'old' });
      for (const [type, id, path] of [
        ['poem', undefined, 'script_type'],
        ['drama', 'old', 'template_id'],
        ['sermon', 'nothing', 'template_id'],
      ] as const) {
        await expect(store().choose(owner, type, id)).rejects.toMatchObject({
          code: 'validation_failed',
          details: { fields: [{ path }] },
        });
      }
    });
  });
});
