import { parseOriginSettings, parseSettings } from '@headwater/shared/protocol/settings';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { describe, expect, it } from 'vitest';
import { noDatabase } from '../database/no-database.ts';
import { chooseVectors } from './choose-vectors.ts';

async function lookWith(env: Record<string, string>) {
  const settings = parseSettings({ JWT_SECRET: 's'.repeat(32), ...env });
  const ports = { database: noDatabase, logger: createSilentLogger(), nowMs: () => 0 };
  const vectors = chooseVectors(settings, parseOriginSettings(env).retrieval, ports);
  await vectors.close();
  return vectors.look();
}

describe('the vectors of a library', () => {
  it.each([
    [{}, 'EMBEDDING_MODEL is not set'],
    [{ OPENAI_API_KEY: 'k' }, 'EMBEDDING_MODEL is not set'],
    [{ EMBEDDING_MODEL: 'openai/text-embedding-3-small' }, 'OPENAI_API_KEY is not set'],
    [{ EMBEDDING_MODEL: 'ollama/nomic-embed-text' }, 'OLLAMA_HOST is not set'],
  ])('FIND-16: with %j there are none, and it says why', async (env, reason) => {
    expect(await lookWith(env)).toEqual({ state: 'off', reason });
  });

  it.each([
    [{ EMBEDDING_MODEL: 'openai/text-embedding-3-small', OPENAI_API_KEY: 'k' }],
    [{ EMBEDDING_MODEL: 'ollama/nomic-embed-text', OLLAMA_HOST: 'localhost' }],
  ])('FIND-16: with %j they are of that model', async (env) => {
    expect(await lookWith(env)).toEqual({ state: 'unknown', model: env.EMBEDDING_MODEL });
  });

  it.each(['text-embedding-3-small', 'anthropic/claude', 'azure/x', 'openai/', 'gpt-4', 'a b'])(
    'FIND-16: %j is no embedding model',
    (EMBEDDING_MODEL) => {
      expect(() => parseOriginSettings({ EMBEDDING_MODEL })).toThrow(/EMBEDDING_MODEL: is neither/);
    },
  );
});
