import { describe, expect, it } from 'vitest';
import { parseHealth } from './health.ts';

describe('parseHealth', () => {
  it('tells live, simulated and unset providers apart, with the setting that is missing', () => {
    const health = parseHealth({
      status: 'ok',
      host: 'origin',
      version: '0.1.0',
      devMode: true,
      defaultModel: 'echo',
      providers: {
        openai: { live: true, setting: 'OPENAI_API_KEY' },
        anthropic: { live: false, setting: 'ANTHROPIC_API_KEY' },
        echo: { live: true, simulated: true },
      },
    });
    expect(health).toEqual({
      host: 'origin',
      version: '0.1.0',
      devMode: true,
      defaultModel: 'echo',
      hasOrigin: true,
      providers: [
        { name: 'openai', kind: 'live' },
        { name: 'anthropic', kind: 'off', setting: 'ANTHROPIC_API_KEY' },
        { name: 'echo', kind: 'simulated' },
      ],
    });
  });

  it('takes an answer it cannot read for a closed gateway without providers', () => {
    expect(parseHealth('<html>')).toEqual({ devMode: false, hasOrigin: false, providers: [] });
  });

  it('WEB-15: an edge has the text services where its origin answers', () => {
    expect(parseHealth({ host: 'edge', origin: 'up' }).hasOrigin).toBe(true);
    expect(parseHealth({ host: 'edge', origin: 'down' }).hasOrigin).toBe(false);
    expect(parseHealth({ host: 'edge' }).hasOrigin).toBe(false);
  });
});
