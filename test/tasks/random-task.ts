/** A random task: what it is told to do, what is done to it, and what may come of it. */

import type { TaskStatus } from '@headwater/shared/tasks/task';
import fc from 'fast-check';
import type { Fields } from './task-caller.ts';

/** What a task does. `times` bounds the attempts that meet it. */
const deeds: fc.Arbitrary<{ readonly fields: Fields; readonly end: TaskStatus }> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ fields: {}, end: 'succeeded' as const }) },
  {
    weight: 6,
    arbitrary: fc
      .integer({ min: 1, max: 400 })
      .map((sleepMs) => ({ fields: { sleepMs }, end: 'succeeded' as const })),
  },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 1, max: 60 })
      .map((burnMs) => ({ fields: { burnMs }, end: 'succeeded' as const })),
  },
  {
    weight: 2,
    arbitrary: fc.constant({
      fields: { text: ['one ', 'two ', 'three'], progressSteps: 20, sleepMs: 20 },
      end: 'succeeded' as const,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constant({
      // Ends only where an attempt goes on from what the one before has kept.
      fields: { parts: { texts: ['one ', 'two ', 'three'], pauseMs: 40, crashAfter: 2 } },
      end: 'succeeded' as const,
    }),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('exit', 'sigkill', 'abort')
      .map((crash) => ({ fields: { crash, times: 1 }, end: 'succeeded' as const })),
  },
  {
    weight: 2,
    arbitrary: fc.constant({
      fields: { text: ['void '], fail: { code: 'unavailable', times: 1 } },
      end: 'succeeded' as const,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant({ fields: { fail: { code: 'conflict' } }, end: 'failed' as const }),
  },
  {
    weight: 1,
    arbitrary: fc.constant({
      fields: { hang: true, timeoutSeconds: 1 },
      end: 'timed_out' as const,
    }),
  },
);

/** What goes on with one task. */
export interface Schedule {
  readonly deed: { readonly fields: Fields; readonly end: TaskStatus };
  readonly priority: number;
  /** It is submitted so long after the round has begun, in ms. */
  readonly delayMs: number;
  /** The same request is sent so often, at once. */
  readonly copies: number;
  /** It is canceled so long after it was accepted, in ms. */
  readonly cancelMs: number | undefined;
  /** Cancels are sent so often, at once. */
  readonly cancels: number;
}

/** Random schedules, sized so that many of them take little time. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  deed: deeds,
  priority: fc.integer({ min: 1, max: 10 }),
  delayMs: fc.integer({ min: 0, max: 1_500 }),
  copies: fc.integer({ min: 1, max: 3 }),
  cancelMs: fc.option(fc.integer({ min: 0, max: 1_200 }), { nil: undefined, freq: 3 }),
  cancels: fc.integer({ min: 1, max: 3 }),
});

/** The ends that a task may come to. */
export function endsOf({ deed, cancelMs }: Schedule): readonly TaskStatus[] {
  return cancelMs === undefined ? [deed.end] : [deed.end, 'canceled'];
}
