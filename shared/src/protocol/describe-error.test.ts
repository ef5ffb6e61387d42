import { expect, it } from 'vitest';
import { describeError } from './describe-error.ts';
import { GatewayError } from './errors.ts';

it('LOG-3: the message of a foreign error is left out, down to its causes', () => {
  const foreign = Object.assign(new Error('prompt: my secret'), { code: 'ECONNRESET' });
  const error = new GatewayError('upstream_failed', 'The model failed.', { cause: foreign });
  expect(describeError(error)).toEqual({
    type: 'GatewayError',
    code: 'upstream_failed',
    message: 'The model failed.',
    cause: { type: 'Error', code: 'ECONNRESET' },
  });
});

it('LOG-3: what is no error is named by its type alone', () => {
  expect(describeError('my secret')).toEqual({ type: 'string' });
  expect(describeError(undefined)).toEqual({ type: 'undefined' });
});

it('a fault of our own code shows where it was thrown, without its words', () => {
  const { stack, ...rest } = describeError(new TypeError('my secret'));
  expect(rest).toEqual({ type: 'TypeError' });
  expect(stack).toContain('describe-error.test');
  expect(stack).not.toContain('my secret');
});

it('a circle of causes ends', () => {
  const error = new Error('a');
  error.cause = error;
  expect(JSON.stringify(describeError(error)).length).toBeLessThan(400);
});
