import { expect, test } from 'vitest';
import { mergeEnvironment, omitEdgeSettings, pickEdgeSettings, readPorts } from './settings.ts';

test('what the process was started with wins over the file', () => {
  expect(mergeEnvironment({ A: 'file', B: 'file' }, { A: 'process' })).toEqual({
    A: 'process',
    B: 'file',
  });
});

test('an empty value switches off what the file sets', () => {
  expect(mergeEnvironment({ OPENAI_API_KEY: 'key' }, { OPENAI_API_KEY: '' })).toEqual({});
});

test('the edge gets its own settings and nothing else of the environment', () => {
  const environment = { JWT_SECRET: 's', DATABASE_URL: 'd', HOME: '/h', DEFAULT_MODEL: 'echo' };
  expect(pickEdgeSettings(environment)).toEqual({ JWT_SECRET: 's', DEFAULT_MODEL: 'echo' });
  expect(omitEdgeSettings(environment)).toEqual({ DATABASE_URL: 'd', HOME: '/h' });
});

test('the ports default to 8787 and 8000', () => {
  expect(readPorts({})).toEqual({ edge: 8787, origin: 8000 });
  expect(readPorts({ EDGE_PORT: '1', ORIGIN_PORT: '65535' })).toEqual({ edge: 1, origin: 65_535 });
});

test.each(['0', '65536', '80a', '-1', '8e3'])('EDGE_PORT=%s is refused by name', (text) => {
  expect(() => readPorts({ EDGE_PORT: text })).toThrow(
    `EDGE_PORT must be a port number from 1 to 65535, not "${text}".`,
  );
});

test('the same port for both is refused', () => {
  expect(() => readPorts({ EDGE_PORT: '8000' })).toThrow('EDGE_PORT and ORIGIN_PORT are both 8000');
});
