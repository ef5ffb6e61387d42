import { expect, it } from 'vitest';
import { kindOf, newId } from './task-id.ts';

it('TASK-31: an id names its kind, has 24 characters of base 62, and none comes twice', () => {
  const ids = Array.from({ length: 2_000 }, () => newId('task'));
  expect(new Set(ids).size).toBe(2_000);
  for (const id of ids) expect(id).toMatch(/^task_[0-9A-Za-z]{24}$/);
  expect(kindOf(newId('batch'))).toBe('batch');
  expect(kindOf(newId('task'))).toBe('task');
});

it('TASK-31: every character of the alphabet comes about as often as any other', () => {
  const seen = new Map<string, number>();
  for (let made = 0; made < 5_000; made += 1) {
    for (const character of newId('task').slice(5)) {
      seen.set(character, (seen.get(character) ?? 0) + 1);
    }
  }
  expect(seen.size).toBe(62);
  const mean = (5_000 * 24) / 62;
  // A bias of 256 mod 62 would make the first eight a quarter likelier.
  for (const count of seen.values()) expect(Math.abs(count / mean - 1)).toBeLessThan(0.15);
});

it.each(['', 'task_', `task_${'a'.repeat(23)}`, `task_${'a'.repeat(24)}\n`, `x_${'a'.repeat(24)}`])(
  'TASK-31: %j is no id',
  (id) => {
    expect(kindOf(id)).toBeUndefined();
  },
);
