/** A host of an outbox whose time a test moves. */

import type { AttemptOutcome } from '../callbacks/delivery.ts';
import { createMemoryOutboxStore } from '../callbacks/memory-store.ts';
import { createOutbox, type OutboxEngine } from '../callbacks/outbox.ts';
import type { OutboxStore } from '../callbacks/outbox-store.ts';
import { createSilentLogger } from './silent-logger.ts';
import { createVirtualClock } from './virtual-clock.ts';

/** A receiver took it. */
export const DELIVERED: AttemptOutcome = { type: 'delivered', status: 200 };

/** A receiver was not ready for it. */
export const AGAIN: AttemptOutcome = { type: 'retry', status: 503 };

/** A callback whose query and body no log line may have. */
export const callback = (id: string) => ({
  id,
  url: `https://n8n.example/${id}?signature=secret`,
  body: '{"answer":"private"}',
});

/** Lets what is under way without a timer come to its end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await null;
}

/** Makes the host; `sharedPollMs` as an outbox takes it. Every attempt is in `sent`. */
export function createHost(store: OutboxStore = createMemoryOutboxStore(), sharedPollMs?: number) {
  const clock = createVirtualClock();
  const logger = createSilentLogger();
  const sent: string[] = [];
  let answer: (id: string) => AttemptOutcome | Promise<AttemptOutcome> = () => DELIVERED;
  let outbox: OutboxEngine | undefined;
  // As a timer does, it rings without waiting for what it began.
  const alarm = clock.alarm(() => void outbox?.wake());
  const run = (): OutboxEngine => {
    outbox = createOutbox({
      store,
      send: async ({ id }) => {
        sent.push(id);
        return answer(id);
      },
      clock,
      alarm,
      logger,
      random: () => 0,
      ...(sharedPollMs === undefined ? {} : { sharedPollMs }),
    });
    return outbox;
  };
  return {
    store,
    outbox: run(),
    run,
    clock,
    alarm,
    sent,
    logger,
    answerWith(next: typeof answer) {
      answer = next;
    },
    async advance(ms: number) {
      await clock.advance(ms);
      await settle();
    },
    /** As `advance`, for what takes many alarms one after the other. */
    async passSeconds(count: number) {
      for (let second = 0; second < count; second += 1) {
        await clock.advance(1_000);
        await settle();
      }
    },
  };
}
