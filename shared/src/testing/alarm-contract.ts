/** What every alarm must do, from the duties in `stream/ports.ts`. */

import { describe, expect, it } from 'vitest';
import type { Alarm } from '../stream/ports.ts';

/** Alarms, and the time they live in. */
export interface AlarmBench {
  alarm(onDue: () => Promise<void>): Alarm;
  nowMs(): number;
  /** Moves time on; what is due rings. */
  advance(ms: number): Promise<void>;
}

/** Describes the suite; `withBench` gives each test a bench of its own. */
export function describeAlarmContract(
  name: string,
  withBench: (test: (bench: AlarmBench) => Promise<void>) => Promise<void>,
): void {
  const check = (title: string, test: (bench: AlarmBench) => Promise<void>) =>
    it(title, () => withBench(test));

  describe(`alarm contract: ${name}`, () => {
    check('PORT-1: rings once, and not before its time', async ({ alarm, nowMs, advance }) => {
      let rung = 0;
      alarm(async () => {
        rung += 1;
      }).set(nowMs() + 1000);
      await advance(999);
      expect(rung).toBe(0);
      await advance(1);
      expect(rung).toBe(1);
      await advance(100_000);
      expect(rung).toBe(1);
    });

    check('PORT-1: rings soon for a time that has passed', async ({ alarm, nowMs, advance }) => {
      let rung = 0;
      alarm(async () => {
        rung += 1;
      }).set(nowMs() - 1000);
      await advance(1);
      expect(rung).toBe(1);
    });

    check('PORT-1: a new time replaces the old one', async ({ alarm, nowMs, advance }) => {
      let rung = 0;
      const subject = alarm(async () => {
        rung += 1;
      });
      subject.set(nowMs() + 1000);
      subject.set(nowMs() + 5000);
      await advance(4999);
      expect(rung).toBe(0);
      await advance(1);
      expect(rung).toBe(1);
    });

    check('PORT-1: `undefined` clears it', async ({ alarm, nowMs, advance }) => {
      let rung = 0;
      const subject = alarm(async () => {
        rung += 1;
      });
      subject.set(nowMs() + 1000);
      subject.set(undefined);
      await advance(10_000);
      expect(rung).toBe(0);
    });

    check('PORT-1: can be set again while it rings', async ({ alarm, nowMs, advance }) => {
      let rung = 0;
      const subject: Alarm = alarm(async () => {
        rung += 1;
        if (rung < 3) subject.set(nowMs() + 1000);
      });
      subject.set(nowMs() + 1000);
      for (let count = 0; count < 5; count += 1) await advance(1000);
      expect(rung).toBe(3);
    });

    check('PORT-1: owners do not disturb each other', async ({ alarm, nowMs, advance }) => {
      const rung: string[] = [];
      const first = alarm(async () => void rung.push('first'));
      const second = alarm(async () => void rung.push('second'));
      first.set(nowMs() + 2000);
      second.set(nowMs() + 1000);
      await advance(1000);
      expect(rung).toEqual(['second']);
      second.set(undefined);
      await advance(1000);
      expect(rung).toEqual(['second', 'first']);
    });
  });
}
