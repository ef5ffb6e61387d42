import { expect, test } from 'vitest';
import { judge } from './targets.ts';

const CPU = { name: 'CPU per token, full speed', unit: 'µs' };
const P99 = { name: 'first token later by, p99', unit: 'ms' };
const P50 = { name: 'first token later by, median', unit: 'ms' };
const KEPT = { name: 'memory kept per session', unit: 'KiB' };
const origin = (...values: number[]) => ({ peer: 'origin' as const, values });
const nginx = (...values: number[]) => ({ peer: 'nginx' as const, values });
const small = (...values: number[]) => ({ peer: 'origin, small' as const, values });

test('BENCH-1: a ratio is judged round by round, by its median', () => {
  expect(judge(CPU, origin(5, 40, 50), nginx(1, 9, 10))).toEqual({ text: '≤ 5 ×', met: true });
  expect(judge(CPU, origin(5, 46, 51), nginx(1, 9, 10))?.met).toBe(false);
});

test('BENCH-1: a difference is judged round by round, also to a value below zero', () => {
  expect(judge(P99, origin(9, 30), nginx(-1, 20))).toEqual({ text: '≤ + 10 ms', met: true });
  expect(judge(P99, origin(9.5), nginx(-1))?.met).toBe(false);
});

test('BENCH-1: a figure that is bound itself is judged without anyone beside it', () => {
  expect(judge(P50, origin(3))).toEqual({ text: '≤ 3 ms', met: true });
  expect(judge(P50, origin(3.1))?.met).toBe(false);
  expect(judge(P50, origin(1), nginx(0))).toBeUndefined();
});

test('BENCH-1: what must not grow may shrink', () => {
  expect(judge(KEPT, small(1.9))).toEqual({ text: '≈ 0 (≤ 2 KiB)', met: true });
  expect(judge(KEPT, small(-9))?.met).toBe(true);
  expect(judge(KEPT, small(2.1))?.met).toBe(false);
});

test('BENCH-1: what must be much is judged from below, as a ratio or by itself', () => {
  const accepted = { name: 'tasks accepted', unit: '/s' };
  const cluster = (...values: number[]) => ({ peer: 'cluster' as const, values });
  const bullmq = (...values: number[]) => ({ peer: 'BullMQ' as const, values });
  expect(judge(accepted, cluster(6, 1, 7), bullmq(10, 10, 10))).toEqual({
    text: '≥ 0.6 ×',
    met: true,
  });
  expect(judge(accepted, cluster(5, 9, 5), bullmq(10, 10, 10))?.met).toBe(false);
  expect(judge(accepted, cluster(6), bullmq())?.met).toBe(false);
  const fairness = { name: 'fairness, Jain index', unit: '' };
  expect(judge(fairness, cluster(0.95))).toEqual({ text: '≥ 0.95', met: true });
  expect(judge(fairness, cluster(0.94))?.met).toBe(false);
  expect(judge(fairness, cluster(Number.NaN))?.met).toBe(false);
});

test('BENCH-1: where the worst counts, every round must keep the bound', () => {
  const killed = { name: 'child killed, task goes on after', unit: 's' };
  const cluster = (...values: number[]) => ({ peer: 'cluster' as const, values });
  expect(judge(killed, cluster(0.1, 0.2, 1))).toEqual({ text: 'each ≤ 1 s', met: true });
  expect(judge(killed, cluster(0.1, 0.2, 1.1))?.met).toBe(false);
  expect(judge(killed, cluster(0.1, Number.NaN))?.met).toBe(false);
  expect(judge(killed, cluster())?.met).toBe(false);
});

test('BENCH-1: a figure that was not measured keeps no bound', () => {
  expect(judge(CPU, origin(5), nginx(Number.POSITIVE_INFINITY))?.met).toBe(false);
  expect(judge(CPU, origin(5, 5), nginx(5))?.met).toBe(false);
  expect(judge(CPU, origin(), nginx())?.met).toBe(false);
});
