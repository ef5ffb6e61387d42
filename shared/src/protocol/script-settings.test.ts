import { expect, it } from 'vitest';
import { parseOriginSettings } from './settings.ts';

it('SET-1, SCRIPT-21: scripts have the documented defaults and units', () => {
  expect(parseOriginSettings({}).scripts).toEqual({ retentionMs: 31_536_000_000 });
  const given = { GENERATION_RETENTION_DAYS: '1', PROJECT_SERVICE_URL: 'http://projects.test/' };
  expect(parseOriginSettings(given).scripts).toEqual({
    retentionMs: 86_400_000,
    projectServiceUrl: 'http://projects.test',
  });
  for (const days of ['0', '3651', '1.5']) {
    expect(() => parseOriginSettings({ GENERATION_RETENTION_DAYS: days })).toThrow(
      /^GENERATION_RETENTION_DAYS/m,
    );
  }
});
