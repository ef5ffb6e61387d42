import { GatewayError } from '@headwater/shared/protocol/errors';
import type { ModelProvider } from '@headwater/shared/providers/contract';
import { createScriptedProvider } from '@headwater/shared/testing/scripted-provider';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { personaOf } from '@headwater/shared/text/characters/character';
import { describe, expect, it } from 'vitest';
import { createPersonaContexts } from './persona-contexts.ts';

const ILSE = personaOf({ name: 'Ilse' });
const MINUTE = 60_000;

const WRITTEN = {
  batches: [
    [
      { type: 'text', text: '{"context": "You are Ilse.", "rules": ["Rhyme."]}' },
      { type: 'usage', inputTokens: 7, outputTokens: 3 },
    ],
  ],
} as const;
const FAILED = { error: new GatewayError('upstream_failed', 'It failed.') };

/** Contexts by the first of their models' names. */
function open(provider: ModelProvider) {
  const clock = { now: 0, nowMs: () => clock.now };
  const answers = {
    targetsOf: async ({ model = 'gpt-4' }: { model?: string | undefined }) => [
      { provider, model, name: model },
    ],
  };
  const contexts = createPersonaContexts({ answers, clock, logger: createSilentLogger() });
  return { contexts, clock };
}

describe('contexts of characters', () => {
  it('CHAR-13: serve for half an hour, also many who ask at once', async () => {
    const provider = createScriptedProvider([WRITTEN]);
    const { contexts, clock } = open(provider);
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => contexts.of('o', ILSE, {})));
    expect(first).toMatchObject({
      context: 'You are Ilse.',
      source: 'model',
      isKept: false,
      usage: { inputTokens: 7, outputTokens: 3 },
    });
    for (const other of others) expect(other).toMatchObject({ isKept: true, usage: null });
    clock.now = 30 * MINUTE - 1;
    await expect(contexts.of('o', ILSE, {})).resolves.toMatchObject({ isKept: true });
    expect(provider.asked()).toBe(1);
    clock.now = 30 * MINUTE;
    await expect(contexts.of('o', ILSE, {})).resolves.toMatchObject({ isKept: false });
    expect(provider.asked()).toBe(2);
  });

  it('CHAR-13: are apart by owner, persona and model', async () => {
    const provider = createScriptedProvider([WRITTEN]);
    const { contexts } = open(provider);
    await contexts.of('o', ILSE, {});
    await contexts.of('p', ILSE, {});
    await contexts.of('o', { ...ILSE, traits: ['kind'] }, {});
    await contexts.of('o', ILSE, { model: 'gpt-5' });
    await contexts.of('o', ILSE, { temperature: 1 });
    expect(provider.asked()).toBe(4);
  });

  it('CHAR-13: a failure is tried again after a minute', async () => {
    const provider = createScriptedProvider([FAILED, WRITTEN]);
    const { contexts, clock } = open(provider);
    await expect(contexts.of('o', ILSE, {})).resolves.toMatchObject({
      source: 'template',
      warnings: [expect.stringContaining('No model')],
    });
    clock.now = MINUTE - 1;
    await expect(contexts.of('o', ILSE, {})).resolves.toMatchObject({ source: 'template' });
    clock.now = MINUTE;
    await expect(contexts.of('o', ILSE, {})).resolves.toMatchObject({ source: 'model' });
  });

  it('CHAR-13: at most a thousand are kept, and the least used goes', async () => {
    const provider = createScriptedProvider([WRITTEN]);
    const { contexts } = open(provider);
    for (let owner = 0; owner < 1_000; owner += 1) await contexts.of(`o${owner}`, ILSE, {});
    await contexts.of('o0', ILSE, {});
    await contexts.of('new', ILSE, {});
    expect(provider.asked()).toBe(1_001);
    await expect(contexts.of('o0', ILSE, {})).resolves.toMatchObject({ isKept: true });
    await expect(contexts.of('o1', ILSE, {})).resolves.toMatchObject({ isKept: false });
  });

  it('CHAR-13: models write thirty a minute for one owner, and the template serves the rest', async () => {
    const provider = createScriptedProvider([WRITTEN]);
    const { contexts, clock } = open(provider);
    const another = (number: number) => contexts.of('o', personaOf({ name: `N${number}` }), {});
    for (let number = 0; number < 30; number += 1) await another(number);
    await expect(another(30)).resolves.toMatchObject({ source: 'template', isKept: false });
    await expect(another(0)).resolves.toMatchObject({ source: 'model', isKept: true });
    await expect(contexts.of('p', ILSE, {})).resolves.toMatchObject({ source: 'model' });
    expect(provider.asked()).toBe(31);
    clock.now = MINUTE;
    await expect(another(30)).resolves.toMatchObject({ source: 'model' });
  });

  it('CHAR-7: the simulation is not asked', async () => {
    const provider = createScriptedProvider([WRITTEN]);
    const { contexts } = open({ name: 'echo', stream: provider.stream });
    await expect(contexts.of('o', ILSE, {})).resolves.toMatchObject({
      source: 'template',
      warnings: [],
    });
    expect(provider.asked()).toBe(0);
  });
});
