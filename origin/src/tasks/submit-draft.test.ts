import { parseOriginSettings, parseSettings } from '@headwater/shared/protocol/settings';
import { createMemoryTaskStore } from '@headwater/shared/tasks/memory-task-store';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { expect, it } from 'vitest';
import { openEngineRegistry } from '../engines/registry.ts';
import type { TaskDraft } from '../inputs/draft.ts';
import { INTERNAL_ENGINE } from '../testing/internal-engine.ts';
import { createMemoryBlobs, createScriptedInputs } from '../testing/scripted-inputs.ts';
import { createEngineDirectory } from './engine-directory.ts';
import { createTaskIntake } from './submit-tasks.ts';
import { newId } from './task-id.ts';

const OWNER = 'ada';
const TYPE = 'internal-test';

async function openIntake(
  env: Record<string, string> = {},
  kept: (offer: string) => Promise<void> | void = () => undefined,
) {
  const { tasks, answers } = parseOriginSettings(env);
  const registry = await openEngineRegistry([INTERNAL_ENGINE]);
  const store = createMemoryTaskStore();
  const blobs = createMemoryBlobs();
  const clock = { nowMs: () => 1_000 };
  const logger = createSilentLogger();
  const directory = createEngineDirectory({
    registry,
    env: {
      settings: parseSettings({ JWT_SECRET: 'a-secret-of-more-than-32-bytes-length' }),
      tasks,
      answers,
    },
    isCluster: false,
    liveTypes: () => [],
    clock,
    logger,
  });
  const offers: string[] = [];
  let accepted = 0;
  const intake = createTaskIntake({
    store,
    queue: {
      offer(type, count) {
        offers.push(`${type} ${count}`);
        return kept(`${type} ${count}`);
      },
    },
    inputs: createScriptedInputs(blobs, [...registry.manifests.keys()]),
    engines: directory,
    limits: tasks,
    clock,
    logger,
    accepted(_, count) {
      accepted += count;
    },
  });
  return {
    intake,
    store,
    directory,
    registry,
    blobs,
    offers,
    accepted: () => accepted,
    waiting: async () => (await store.counts(1_000)).get(TYPE)?.queued ?? 0,
  };
}

function draft(params: Record<string, string | number> = { word: 'a' }): TaskDraft {
  const input = { params, files: [] };
  const fingerprint = JSON.stringify(params);
  return { type: TYPE, input, priority: 5, timeoutMs: 60_000, fingerprint };
}

it('TASK-71: a draft is checked by the manifest, kept and offered as a request is', async () => {
  const { intake, store, offers, accepted } = await openIntake();
  const { kept, replayed } = await intake.submitDraft(OWNER, draft());
  expect(replayed).toBe(false);
  expect(kept.spec).toMatchObject({
    id: expect.stringMatching(/^task_\w{24}$/),
    type: TYPE,
    owner: OWNER,
    maxAttempts: 3,
    input: { params: { word: 'a', times: 2 }, files: [] },
  });
  expect(await store.get(kept.spec.id)).toEqual(kept);
  expect([offers, accepted()]).toEqual([[`${TYPE} 1`], 1]);
});

it('TASK-71: parameters that the manifest does not take are named, and nothing is kept', async () => {
  const { intake, blobs, waiting } = await openIntake();
  const { blob, bytes } = await blobs.put(Array.from([new Uint8Array(3)]).values() as never, 9);
  const file = { field: 'image', blob, bytes, mediaType: 'image/png' };
  const bad = { ...draft(), input: { params: { times: 'two' }, files: [file] } };
  await expect(intake.submitDraft(OWNER, bad)).rejects.toMatchObject({
    code: 'validation_failed',
    details: { fields: [{ path: 'word' }, { path: 'times' }] },
  });
  expect(await waiting()).toBe(0);
  expect(blobs.names).toEqual([]);
});

it('TASK-71: the same id makes no second task, one after the other or at once', async () => {
  const { intake, waiting, offers } = await openIntake({ MAX_QUEUED_TASKS: '1' });
  const id = newId('task');
  const [one, two] = await Promise.all([
    intake.submitDraft(OWNER, draft(), { id }),
    intake.submitDraft(OWNER, draft(), { id }),
  ]);
  expect([one.kept.spec.id, two.kept.spec.id]).toEqual([id, id]);
  // Kept before, so that no limit concerns it.
  const again = await intake.submitDraft(OWNER, draft({ word: 'other' }), { id });
  expect(again).toMatchObject({ replayed: true, kept: { spec: one.kept.spec } });
  expect(await waiting()).toBe(1);
  expect(offers.length).toBeLessThanOrEqual(2);
});

it('TASK-10: a task is accepted though the queue does not answer, or refuses', async () => {
  const silent = await openIntake({}, () => new Promise(() => undefined));
  const refusing = await openIntake({}, () => Promise.reject(new Error('away')));
  for (const { intake, offers, accepted } of [silent, refusing]) {
    const { replayed } = await intake.submitDraft(OWNER, draft());
    expect([replayed, accepted(), offers]).toEqual([false, 1, [`${TYPE} 1`]]);
  }
});

it("TASK-71: an id is one caller's and one type's, and looks like one", async () => {
  const { intake } = await openIntake();
  const id = newId('task');
  await intake.submitDraft(OWNER, draft(), { id });
  await expect(intake.submitDraft('bob', draft(), { id })).rejects.toMatchObject({
    code: 'conflict',
    message: 'Another task has this id.',
  });
  const other = { ...draft(), type: 'content-generation' };
  await expect(intake.submitDraft(OWNER, other, { id })).rejects.toMatchObject({
    code: 'conflict',
  });
  for (const bad of ['task_1', newId('batch')]) {
    await expect(intake.submitDraft(OWNER, draft(), { id: bad })).rejects.toThrow(TypeError);
  }
});

it('TASK-71: limits, keys and the end of the process hold for drafts too', async () => {
  const { intake, waiting } = await openIntake({ MAX_QUEUED_TASKS_PER_SUBJECT: '1' });
  const first = await intake.submitDraft(OWNER, draft(), { idempotencyKey: 'k' });
  const again = await intake.submitDraft(OWNER, draft(), { idempotencyKey: 'k' });
  expect(again).toEqual({ kept: first.kept, replayed: true });
  const other = draft({ word: 'b' });
  await expect(intake.submitDraft(OWNER, other, { idempotencyKey: 'k' })).rejects.toMatchObject({
    code: 'unprocessable',
  });
  await expect(intake.submitDraft(OWNER, other)).rejects.toMatchObject({ code: 'rate_limited' });
  expect(await waiting()).toBe(1);
  intake.close();
  await expect(intake.submitDraft('bob', other)).rejects.toMatchObject({ code: 'unavailable' });
});

it('TASK-72, ENGINE-22: an internal type is not there for callers, and the gateway itself can ask for it', async () => {
  const { registry, directory } = await openIntake();
  const unknown = { code: 'not_found', message: expect.stringContaining('no such type') };
  for (const type of [TYPE, 'nothing']) {
    expect(() => registry.manifestOf(type)).toThrow(expect.objectContaining(unknown));
    await expect(directory.require(type)).rejects.toMatchObject(unknown);
  }
  const refusal = await directory.require(TYPE).catch((thrown: Error) => thrown.message);
  expect(refusal).not.toContain(TYPE);
  expect([...directory.all().keys(), ...directory.names().live]).not.toContain(TYPE);
  expect(directory.own).toContain(TYPE);
  expect((await directory.manifestFor(TYPE)).type).toBe(TYPE);
  expect((await registry.load(TYPE)).manifest.type).toBe(TYPE);
  await expect(directory.manifestFor('nothing')).rejects.toMatchObject(unknown);
  await expect(directory.manifestFor('ocr')).rejects.toMatchObject({ code: 'unavailable' });
});
