import { expect, it } from 'vitest';
import { readPreferWait } from './prefer-wait.ts';

it.each([
  ['wait=10', 10],
  ['wait=1', 1],
  ['wait=60', 60],
  ['wait=3600', 60],
  ['Wait = "5"', 5],
  ['respond-async, wait=7', 7],
  ['wait=7;foo=bar, wait=9', 7],
  ['return=minimal; x=wait=3 , wait=4', 4],
])('TASK-36: %j asks for %i seconds', (header, seconds) => {
  expect(readPreferWait(header)).toBe(seconds);
});

it.each([
  null,
  ...['', 'wait', 'wait=', 'wait=0', 'wait=-1', 'wait=1.5', 'wait=soon', 'await=3'],
  ...['wait="5', 'wait=9999999999'],
])('TASK-36: %j asks for no wait', (header) => {
  expect(readPreferWait(header)).toBeUndefined();
});
