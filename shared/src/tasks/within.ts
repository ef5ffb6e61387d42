/** Waits for something, but not for ever. */

import type { Alarm, Clock } from '../stream/ports.ts';

/** Resolves when `work` is over, or `ms` have gone by. Rejects as `work` does. */
export async function within(
  work: Promise<unknown>,
  ms: number,
  { clock, alarm }: { readonly clock: Clock; alarm(onDue: () => void): Alarm },
): Promise<void> {
  const time = Promise.withResolvers<void>();
  const ring = alarm(time.resolve);
  ring.set(clock.nowMs() + ms);
  try {
    await Promise.race([work, time.promise]);
  } finally {
    ring.set(undefined);
  }
}
