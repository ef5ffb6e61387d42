import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ModelEvent } from '../providers/contract.ts';
import { createGatherer } from './gather.ts';

const say = (text: string): ModelEvent[] => [{ type: 'text', text }];
const textOf = (events: readonly ModelEvent[]) =>
  events.map((event) => (event.type === 'text' ? event.text : '')).join('');

let given: string[];
const make = (everyMs: number) =>
  createGatherer(everyMs, Date.now, (events) => given.push(textOf(events)));

beforeEach(() => {
  vi.useFakeTimers();
  given = [];
});
afterEach(() => {
  vi.useRealTimers();
});

it('STREAM-19: the first token waits for nothing, the next ones come together', () => {
  const gatherer = make(50);
  gatherer.add(say('a'));
  expect(given).toEqual(['a']);
  for (const text of ['b', 'c', 'd']) {
    vi.advanceTimersByTime(10);
    gatherer.add(say(text));
  }
  expect(given).toEqual(['a']);
  vi.advanceTimersByTime(20);
  expect(given).toEqual(['a', 'bcd']);
});

it('STREAM-19: after a pause a token goes out at once again', () => {
  const gatherer = make(50);
  gatherer.add(say('a'));
  vi.advanceTimersByTime(51);
  gatherer.add(say('b'));
  expect(given).toEqual(['a', 'b']);
});

it('STREAM-19: a flush hands on what waits, once, and nothing comes after it', () => {
  const gatherer = make(50);
  gatherer.add(say('a'));
  gatherer.add(say('b'));
  gatherer.flush();
  gatherer.flush();
  vi.advanceTimersByTime(1000);
  expect(given).toEqual(['a', 'b']);
});

it('STREAM-19: without a window everything goes out at once', () => {
  const gatherer = make(0);
  for (const text of ['a', 'b']) gatherer.add(say(text));
  expect(given).toEqual(['a', 'b']);
  expect(vi.getTimerCount()).toBe(0);
});

it('STREAM-19: a clock that steps back holds nothing back for longer than the window', () => {
  let now = 1_000_000;
  const gatherer = createGatherer(
    50,
    () => now,
    (events) => given.push(textOf(events)),
  );
  gatherer.add(say('a'));
  now = 0;
  gatherer.add(say('b'));
  vi.advanceTimersByTime(50);
  expect(given).toEqual(['a', 'b']);
});
