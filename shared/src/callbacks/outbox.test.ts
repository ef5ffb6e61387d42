import { afterEach, describe, expect, it, vi } from 'vitest';
import { createSilentLogger } from '../testing/silent-logger.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import type { AttemptOutcome } from './delivery.ts';
import { createMemoryOutboxStore } from './memory-store.ts';
import { createOutbox, type OutboxEngine, type OutboxStore } from './outbox.ts';

const DELIVERED: AttemptOutcome = { type: 'delivered', status: 200 };
const AGAIN: AttemptOutcome = { type: 'retry', status: 503 };

const callback = (id: string) => ({
  id,
  url: `https://n8n.example/${id}?signature=secret`,
  body: '{"answer":"private"}',
});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await null;
}

afterEach(() => {
  vi.useRealTimers();
});

function createHost(store: OutboxStore = createMemoryOutboxStore()) {
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
    });
    return outbox;
  };
  return {
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
  };
}

describe('outbox', () => {
  it('OUTBOX-1: a callback goes out at once, and is then over', async () => {
    const host = createHost();
    await host.outbox.enqueue(callback('m1'));
    expect(await host.outbox.view('m1')).toEqual({ status: 'pending', attempts: 0 });
    await host.advance(0);
    expect(host.sent).toEqual(['m1']);
    expect(await host.outbox.view('m1')).toEqual({
      status: 'delivered',
      attempts: 1,
      lastStatus: 200,
    });
    expect(host.alarm.atMs).toBeUndefined();
  });

  it('OUTBOX-2: the same id again changes nothing, also after its delivery', async () => {
    const host = createHost();
    await host.outbox.enqueue(callback('m1'));
    await host.outbox.enqueue({ ...callback('m1'), body: '{}' });
    await host.advance(0);
    await host.outbox.enqueue(callback('m1'));
    await host.advance(1000);
    expect(host.sent).toEqual(['m1']);
  });

  it('OUTBOX-3, OUTBOX-4: what may pass is tried again after growing pauses, until it is taken', async () => {
    const host = createHost();
    host.answerWith(() => (host.sent.length < 4 ? AGAIN : DELIVERED));
    await host.outbox.enqueue(callback('m1'));
    await host.advance(0);
    for (const [pause, tries] of [
      [249, 1],
      [1, 2],
      [499, 2],
      [1, 3],
      [1000, 4],
    ] as const) {
      await host.advance(pause);
      expect(host.sent).toHaveLength(tries);
    }
    expect(await host.outbox.view('m1')).toMatchObject({ status: 'delivered', attempts: 4 });
  });

  it('OUTBOX-3: a refusal is final', async () => {
    const host = createHost();
    host.answerWith(() => ({ type: 'refused', status: 410 }));
    await host.outbox.enqueue(callback('m1'));
    await host.advance(100_000_000);
    expect(host.sent).toHaveLength(1);
    expect(await host.outbox.view('m1')).toEqual({
      status: 'failed',
      attempts: 1,
      lastStatus: 410,
    });
  });

  it('OUTBOX-5: one attempt of a callback is in flight, whoever wakes the outbox', async () => {
    const host = createHost();
    const answer = Promise.withResolvers<AttemptOutcome>();
    host.answerWith(() => answer.promise);
    await host.outbox.enqueue(callback('m1'));
    await host.advance(0);
    void host.outbox.wake();
    void host.outbox.wake();
    await host.advance(60_000);
    expect(host.sent).toEqual(['m1']);
    answer.resolve(DELIVERED);
    await settle();
    await host.outbox.wake();
    expect(host.sent).toEqual(['m1']);
  });

  it('OUTBOX-5: an attempt that another one has overtaken is not made', async () => {
    const memory = createMemoryOutboxStore();
    let hold: Promise<void> | undefined;
    const host = createHost({
      ...memory,
      async pending() {
        const found = await memory.pending();
        await hold;
        return found;
      },
    });
    await host.outbox.enqueue(callback('m1'));
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const stale = host.outbox.wake();
    await settle();
    hold = undefined;
    await host.outbox.wake();
    expect(host.sent).toEqual(['m1']);
    resolve();
    await stale;
    expect(host.sent).toEqual(['m1']);
  });

  it('OUTBOX-4: a receiver that hangs delays no other callback', async () => {
    const host = createHost();
    const hanging = new Promise<AttemptOutcome>(() => undefined);
    host.answerWith((id) => (id === 'slow' ? hanging : host.sent.length < 4 ? AGAIN : DELIVERED));
    await host.outbox.enqueue(callback('slow'));
    await host.outbox.enqueue(callback('quick'));
    await host.advance(0);
    await host.advance(250);
    await host.advance(500);
    expect(await host.outbox.view('quick')).toMatchObject({ status: 'delivered', attempts: 3 });
  });

  it('OUTBOX-1: a callback that comes while the alarm is computed is not forgotten', async () => {
    const memory = createMemoryOutboxStore();
    const gate = { hold: Promise.resolve() };
    const host = createHost({
      ...memory,
      async pending() {
        const found = await memory.pending();
        await gate.hold;
        return found;
      },
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.hold = promise;
    const arming = host.outbox.rearm();
    await settle();
    await host.outbox.enqueue(callback('m1'));
    gate.hold = Promise.resolve();
    resolve();
    await arming;
    await host.advance(0);
    expect(host.sent).toEqual(['m1']);
  });

  it('OUTBOX-7: after a restart what waits is sent when it is due', async () => {
    const host = createHost();
    host.answerWith(() => AGAIN);
    await host.outbox.enqueue(callback('m1'));
    await host.advance(0);
    host.alarm.set(undefined);
    const restarted = host.run();
    await restarted.rearm();
    host.answerWith(() => DELIVERED);
    await host.advance(249);
    expect(host.sent).toHaveLength(1);
    await host.advance(1);
    expect(host.sent).toHaveLength(2);
    expect(await restarted.view('m1')).toMatchObject({ status: 'delivered', attempts: 2 });
  });

  it('OUTBOX-6, LOG-3: no line of the log has a query or a body', async () => {
    const host = createHost();
    host.answerWith(() => (host.sent.length === 1 ? AGAIN : { type: 'refused', status: 410 }));
    await host.outbox.enqueue(callback('m1'));
    await host.advance(0);
    await host.advance(250);
    const lines = JSON.stringify(host.logger.lines);
    expect(host.logger.lines.map(({ level }) => level)).toEqual(['warn', 'error']);
    expect(lines).not.toContain('secret');
    expect(lines).not.toContain('private');
  });

  it('a callback that is forgotten is unknown', async () => {
    const host = createHost();
    await host.outbox.enqueue(callback('m1'));
    await host.outbox.forget('m1');
    expect(await host.outbox.view('m1')).toBeUndefined();
    await host.advance(0);
    expect(host.sent).toEqual([]);
  });
});

describe('a flush before the process ends', () => {
  /** The outbox on the timers that the test moves. */
  function onFakeTimers(outcome: () => Promise<AttemptOutcome>): OutboxEngine {
    vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) });
    return createOutbox({
      store: createMemoryOutboxStore(),
      send: outcome,
      clock: { nowMs: () => Date.now() },
      alarm: { set: () => undefined },
      logger: createSilentLogger(),
      random: () => 0,
    });
  }

  it('STREAM-18: ends as soon as everything is delivered', async () => {
    let tries = 0;
    const outbox = onFakeTimers(async () => {
      tries += 1;
      return tries < 3 ? AGAIN : DELIVERED;
    });
    await outbox.enqueue(callback('m1'));
    let isOver = false;
    void outbox.flush(3000).then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(700);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(isOver).toBe(true);
    expect(await outbox.view('m1')).toMatchObject({ status: 'delivered', attempts: 3 });
  });

  it('STREAM-18: gives up waiting for a receiver that hangs when its time is over', async () => {
    const outbox = onFakeTimers(() => new Promise(() => undefined));
    await outbox.enqueue(callback('m1'));
    let isOver = false;
    void outbox.flush(3000).then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(2999);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver).toBe(true);
  });
});
