import { expect, it } from 'vitest';
import { createRemoteReaders } from './remote-readers.ts';

function start() {
  const clock = { nowMs: 1_000_000 };
  const remote = createRemoteReaders(() => clock.nowMs);
  const sweep = () => {
    const changes: [string, number][] = [];
    remote.sweep((streamId, sum) => changes.push([streamId, sum]));
    return changes;
  };
  return { clock, remote, sweep };
}

it('CLUSTER-11: the readers of a stream are the sum over all instances, by their last word', () => {
  const { remote } = start();
  expect(remote.report('s', 'b', 2)).toBe(2);
  expect(remote.report('s', 'c', 3)).toBe(5);
  expect(remote.report('s', 'b', 1)).toBe(4);
  expect(remote.report('t', 'b', 7)).toBe(7);
  expect(remote.report('s', 'c', 0)).toBe(1);
  expect([remote.sumOf('s'), remote.sumOf('t'), remote.sumOf('u')]).toEqual([1, 7, 0]);
});

it('CLUSTER-11: a word that is not said again counts for 3 s', () => {
  const { clock, remote, sweep } = start();
  remote.report('s', 'b', 2);
  remote.report('s', 'c', 1);
  clock.nowMs += 3_000;
  remote.report('s', 'c', 1);
  expect(sweep()).toEqual([]);
  clock.nowMs += 1;
  expect(sweep()).toEqual([['s', 1]]);
  expect(sweep()).toEqual([]);
  clock.nowMs += 3_000;
  expect(sweep()).toEqual([['s', 0]]);
});

it('CLUSTER-11: a stream that is dropped has no readers', () => {
  const { clock, remote, sweep } = start();
  remote.report('s', 'b', 2);
  remote.drop('s');
  clock.nowMs += 5_000;
  expect(sweep()).toEqual([]);
  expect(remote.report('s', 'c', 1)).toBe(1);
});
