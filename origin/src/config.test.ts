import { SettingsError } from '@headwater/shared/protocol/settings';
import { expect, it } from 'vitest';
import { readConfig } from './config.ts';

const JWT_SECRET = 'a-secret-of-more-than-32-bytes-length';

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (thrown) {
    if (thrown instanceof SettingsError) return thrown.faults.map(({ name }) => name);
    throw thrown;
  }
  return [];
}

it.each(['api', 'worker'])('TASK-30: ROLE=%s without Redis is a fault that says so', (role) => {
  expect(() => readConfig({ JWT_SECRET, ROLE: role })).toThrow(
    `REDIS_URL: is needed because ROLE is ${role}`,
  );
});

it('TASK-30: with Redis every role is taken, and without it the one that does all', () => {
  for (const ROLE of ['all', 'api', 'worker']) {
    const { origin } = readConfig({ JWT_SECRET, ROLE, REDIS_URL: 'redis://127.0.0.1:6379' });
    expect(origin.tasks.role).toBe(ROLE);
  }
  expect(readConfig({ JWT_SECRET }).origin.tasks.role).toBe('all');
});

it('SET-1: faults of all parts are told together', () => {
  expect(faultsOf({ PORT: 'x', MAX_WORKERS: '0', ROLE: 'api' })).toEqual([
    'JWT_SECRET',
    'MAX_WORKERS',
    'PORT',
  ]);
});
