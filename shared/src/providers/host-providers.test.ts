import { describe, expect, it } from 'vitest';
import { parseSettings } from '../protocol/settings.ts';
import { createHostProviders } from './host-providers.ts';

const JWT_SECRET = 'a-secret-for-tests-of-at-least-32-bytes';
const ALL = {
  JWT_SECRET,
  OPENAI_API_KEY: 'k',
  ANTHROPIC_API_KEY: 'k',
  AZURE_OPENAI_API_KEY: 'k',
  AZURE_OPENAI_ENDPOINT: 'https://mine.openai.azure.example',
};

describe('the vendors of a host', () => {
  it('PROV-18: are those that have a key, and the simulation', () => {
    const names = (env: Record<string, string>) =>
      Object.keys(createHostProviders(parseSettings({ JWT_SECRET, ...env }))).sort();
    expect(names({})).toEqual(['echo']);
    expect(names({ OPENAI_API_KEY: 'k' })).toEqual(['echo', 'openai']);
    expect(names(ALL)).toEqual(['anthropic', 'azure', 'echo', 'openai']);
  });

  it('PROV-23: each has a circuit of its own, unless the setting switches it off', () => {
    const { openai, azure, anthropic, echo } = createHostProviders(parseSettings(ALL));
    expect([openai, azure, anthropic].map((provider) => provider?.circuit?.())).toEqual([
      'closed',
      'closed',
      'closed',
    ]);
    expect(echo?.circuit).toBeUndefined();
    const bare = createHostProviders(parseSettings({ ...ALL, UPSTREAM_BREAKER_FAILURES: '0' }));
    expect(bare.openai?.circuit).toBeUndefined();
  });
});
