import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { describeAlarmContract } from '@headwater/shared/testing/alarm-contract';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) });
});

afterEach(() => {
  vi.useRealTimers();
});

it('rings once, when its time has come', () => {
  const onDue = vi.fn();
  createTimerAlarm(onDue).set(Date.now() + 1000);
  vi.advanceTimersByTime(999);
  expect(onDue).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onDue).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(10_000);
  expect(onDue).toHaveBeenCalledOnce();
});

it('rings soon for a time that has passed', () => {
  const onDue = vi.fn();
  createTimerAlarm(onDue).set(Date.now() - 5000);
  vi.advanceTimersByTime(1);
  expect(onDue).toHaveBeenCalledOnce();
});

it('a new time replaces the old one, and `undefined` clears it', () => {
  const onDue = vi.fn();
  const alarm = createTimerAlarm(onDue);
  alarm.set(Date.now() + 1000);
  alarm.set(Date.now() + 3000);
  vi.advanceTimersByTime(2999);
  expect(onDue).not.toHaveBeenCalled();
  alarm.set(undefined);
  vi.advanceTimersByTime(10_000);
  expect(onDue).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

it('waits longer than a Node timer can', () => {
  const onDue = vi.fn();
  const waitMs = 2 ** 31 + 5000;
  createTimerAlarm(onDue).set(Date.now() + waitMs);
  vi.advanceTimersByTime(waitMs - 1);
  expect(onDue).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onDue).toHaveBeenCalledOnce();
});

it('never rings early, even where the wall clock was set back', () => {
  const onDue = vi.fn();
  const atMs = Date.now() + 1000;
  createTimerAlarm(onDue).set(atMs);
  vi.setSystemTime(Date.now() - 500);
  vi.advanceTimersByTime(1000);
  expect(onDue).not.toHaveBeenCalled();
  vi.advanceTimersByTime(500);
  expect(onDue).toHaveBeenCalledOnce();
});

describeAlarmContract("Node's timers", (test) =>
  test({
    alarm: (onDue) => createTimerAlarm(() => void onDue()),
    nowMs: Date.now,
    advance: async (ms) => {
      await vi.advanceTimersByTimeAsync(ms);
    },
  }),
);
