import { expect, test } from 'vitest';
import { readTokenArguments } from './arguments.ts';

test('a token is for n8n and an hour unless told otherwise', () => {
  expect(readTokenArguments([])).toEqual({
    kind: 'caller-token',
    subject: 'n8n',
    ttlSeconds: 3600,
  });
  expect(readTokenArguments(['--sub', 'me', '--ttl=60'])).toEqual({
    kind: 'caller-token',
    subject: 'me',
    ttlSeconds: 60,
  });
});

test('the secret of callbacks can be asked for', () => {
  expect(readTokenArguments(['--webhook-secret'])).toEqual({ kind: 'webhook-secret' });
});

test.each([
  [['--ttl', '0'], '--ttl must be a whole number of seconds, not "0".'],
  [['--ttl', '1h'], '--ttl must be a whole number of seconds, not "1h".'],
  [['--sub', ''], '--sub needs a name.'],
  [['--sud', 'x'], 'The arguments are --sub NAME, --ttl SECONDS and --webhook-secret'],
  [['x'], 'The arguments are --sub NAME, --ttl SECONDS and --webhook-secret'],
])('%j is refused in one sentence, with exit code 2', (args, sentence) => {
  expect(() => readTokenArguments(args)).toThrow(
    expect.objectContaining({ message: expect.stringContaining(sentence), exitCode: 2 }),
  );
});
