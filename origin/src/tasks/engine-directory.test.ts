import { GatewayError } from '@headwater/shared/protocol/errors';
import { parseOriginSettings, parseSettings } from '@headwater/shared/protocol/settings';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { expect, it } from 'vitest';
import * as z from 'zod';
import type { EngineManifest } from '../engines/engine-manifest.ts';
import { createEngineDirectory } from './engine-directory.ts';

const SETTINGS = parseSettings({ JWT_SECRET: 'a-secret-of-more-than-32-bytes-length' });
const NO_VOICE = 'No engine for voice-synthesis is installed here.';

function manifestOf(type: string, missing?: string): EngineManifest {
  return {
    type,
    files: [],
    params: z.strictObject({}),
    availability: () => (missing === undefined ? { live: true } : { live: false, missing }),
  };
}

const MANIFESTS = new Map([
  ['steps', manifestOf('steps')],
  ['gpu', manifestOf('gpu', 'Set GPU_MODEL.')],
]);

interface World {
  readonly env?: Record<string, string>;
  /** What other nodes run; absent: there are none. */
  readonly others?: () => readonly string[];
}

function openDirectory({ env = {}, others }: World = {}) {
  let nowMs = 0;
  const logger = createSilentLogger();
  const directory = createEngineDirectory({
    registry: {
      manifests: MANIFESTS,
      missing: new Map([['voice-synthesis', NO_VOICE]]),
      manifestOf(type) {
        const manifest = MANIFESTS.get(type);
        if (manifest !== undefined) return manifest;
        throw type === 'voice-synthesis'
          ? new GatewayError('unavailable', NO_VOICE)
          : new GatewayError('not_found', 'There is no such type of task.');
      },
    },
    env: { settings: SETTINGS, ...parseOriginSettings(env) },
    isCluster: others !== undefined,
    liveTypes: async () => others?.() ?? [],
    clock: { nowMs: () => nowMs },
    logger,
  });
  return { ...directory, logger, pass: (ms: number) => (nowMs += ms) };
}

it('TASK-34: a type with an engine is live, and the others say what they lack', async () => {
  const { own, all, names, require: ask } = openDirectory();
  expect(own).toEqual(['steps']);
  expect(Object.fromEntries(all())).toEqual({
    gpu: { live: false, missing: 'Set GPU_MODEL.' },
    steps: { live: true },
    'voice-synthesis': { live: false, missing: NO_VOICE },
  });
  expect(names()).toEqual({ live: ['steps'], missing: ['gpu', 'voice-synthesis'] });
  await ask('steps');
  await expect(ask('gpu')).rejects.toMatchObject({
    code: 'unavailable',
    message: 'Set GPU_MODEL.',
  });
  await expect(ask('voice-synthesis')).rejects.toMatchObject({ code: 'unavailable' });
  await expect(ask('dance')).rejects.toMatchObject({ code: 'not_found' });
});

it('TASK-34: a type that WORKER_TYPES leaves out is not live on an origin alone', async () => {
  const { own, require: ask } = openDirectory({ env: { WORKER_TYPES: 'gpu' } });
  expect(own).toEqual([]);
  await expect(ask('steps')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('WORKER_TYPES'),
  });
});

it('TASK-35: on a cluster a type that another node runs is taken, also while that one restarts', async () => {
  let types: readonly string[] = [];
  const {
    own,
    pass,
    all,
    require: ask,
  } = openDirectory({
    env: { ROLE: 'api' },
    others: () => types,
  });
  expect(own).toEqual([]);
  // A task waits for its worker, where the settings of this node have its engine.
  await ask('steps');
  await expect(ask('gpu')).rejects.toMatchObject({ code: 'unavailable' });
  types = ['gpu', 'dance'];
  pass(2_000);
  await ask('gpu');
  expect(all().get('gpu')).toEqual({ live: true });
  // What cannot be checked here is not taken.
  await expect(ask('dance')).rejects.toMatchObject({ code: 'not_found' });
  types = [];
  pass(600_000);
  await ask('gpu');
  pass(1);
  await expect(ask('gpu')).rejects.toMatchObject({ message: 'Set GPU_MODEL.' });
});

it('TASK-35: while the store is away, what was known stays known', async () => {
  let isAway = false;
  const {
    pass,
    logger,
    require: ask,
  } = openDirectory({
    others() {
      if (isAway) throw new GatewayError('unavailable', 'Redis did not answer in time.');
      return ['gpu'];
    },
  });
  await ask('gpu');
  isAway = true;
  pass(5_000);
  await ask('gpu');
  expect(logger.lines).toHaveLength(1);
});
