import { afterEach, describe, expect, it, vi } from 'vitest';
import { AGAIN, callback, createHost, DELIVERED, settle } from '../testing/outbox-host.ts';
import { createSilentLogger } from '../testing/silent-logger.ts';
import type { AttemptOutcome } from './delivery.ts';
import { createMemoryOutboxStore } from './memory-store.ts';
import { createOutbox, type OutboxEngine } from './outbox.ts';
import { CLAIMS_PER_HOST } from './outbox-store.ts';

afterEach(() => {
  vi.useRealTimers();
});

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

  it('OUTBOX-5: a claim that comes late while the outbox is woken again is attempted once', async () => {
    const memory = createMemoryOutboxStore();
    let hold: Promise<void> | undefined;
    const host = createHost({
      ...memory,
      async claim(nowMs, untilMs, limit) {
        const claims = await memory.claim(nowMs, untilMs, limit);
        await hold;
        return claims;
      },
    });
    await host.outbox.enqueue(callback('m1'));
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const first = host.outbox.wake();
    await settle();
    hold = undefined;
    const second = host.outbox.wake();
    await settle();
    expect(host.sent).toEqual([]);
    resolve();
    await Promise.all([first, second]);
    expect(host.sent).toEqual(['m1']);
  });

  it('OUTBOX-5: a claim that comes too late for its lease is not begun with', async () => {
    const memory = createMemoryOutboxStore();
    const late = Promise.withResolvers<void>();
    let hold: Promise<void> | undefined = late.promise;
    const host = createHost({
      ...memory,
      async claim(nowMs, untilMs, limit) {
        const claims = await memory.claim(nowMs, untilMs, limit);
        await hold;
        return claims;
      },
    });
    await host.outbox.enqueue(callback('m1'));
    await host.advance(40_000);
    hold = undefined;
    late.resolve();
    await settle();
    expect(host.sent).toEqual([]);
    await host.advance(20_000);
    expect(host.sent).toEqual(['m1']);
    expect(await host.outbox.view('m1')).toMatchObject({ status: 'delivered', attempts: 1 });
  });

  it('OUTBOX-5: an attempt longer than its lease goes on alone, and counts', async () => {
    const host = createHost();
    const answer = Promise.withResolvers<AttemptOutcome>();
    host.answerWith(() => answer.promise);
    await host.outbox.enqueue(callback('m1'));
    await host.passSeconds(200);
    expect(host.sent).toEqual(['m1']);
    answer.resolve(AGAIN);
    await settle();
    expect(await host.outbox.view('m1')).toMatchObject({ status: 'pending', attempts: 1 });
    host.answerWith(() => DELIVERED);
    await host.advance(250);
    expect(host.sent).toEqual(['m1', 'm1']);
    expect(await host.outbox.view('m1')).toMatchObject({ status: 'delivered', attempts: 2 });
  });

  it('OUTBOX-11: 10,000 callbacks of a receiver that hangs hold up no other one', async () => {
    const host = createHost();
    let dead = 0;
    host.answerWith((id) => {
      if (!id.startsWith('dead')) return DELIVERED;
      dead += 1;
      return new Promise(() => undefined);
    });
    for (let index = 0; index < 10_000; index += 1) {
      await host.outbox.enqueue({ ...callback(`dead${index}`), url: 'https://dead.example/' });
    }
    await host.advance(1);
    await host.outbox.enqueue(callback('live'));
    await host.advance(0);
    expect(await host.outbox.view('live')).toMatchObject({ status: 'delivered' });
    expect(dead).toBe(CLAIMS_PER_HOST);
  });

  it('OUTBOX-11: so many receivers that hang are tried at once, and the next when one answers', async () => {
    const host = createHost();
    const answers: PromiseWithResolvers<AttemptOutcome>[] = [];
    host.answerWith(() => {
      const answer = Promise.withResolvers<AttemptOutcome>();
      answers.push(answer);
      return answer.promise;
    });
    for (let index = 0; index < 200; index += 1) {
      await host.outbox.enqueue({ ...callback(`m${index}`), url: `https://r${index}.example/` });
    }
    await host.passSeconds(5);
    expect(host.sent).toHaveLength(64);
    expect(host.alarm.atMs).toBeGreaterThan(host.clock.nowMs());
    for (const answer of answers.slice(0, 10)) answer.resolve(DELIVERED);
    await settle();
    expect(host.sent).toHaveLength(74);
  });

  it('OUTBOX-12: an outcome that the store refuses is kept later, and nothing is sent again', async () => {
    const memory = createMemoryOutboxStore();
    let isDown = true;
    const host = createHost({
      ...memory,
      async put(state, token) {
        if (isDown) throw new Error('down');
        await memory.put(state, token);
      },
    });
    await host.outbox.enqueue(callback('m1'));
    await host.passSeconds(70);
    expect(host.sent).toEqual(['m1']);
    expect(await host.outbox.view('m1')).toMatchObject({ status: 'pending', attempts: 0 });
    isDown = false;
    await host.advance(1_000);
    expect(host.sent).toEqual(['m1']);
    expect(await host.outbox.view('m1')).toMatchObject({ status: 'delivered', attempts: 1 });
    expect(host.alarm.atMs).toBeUndefined();
  });

  it('OUTBOX-12: a store that is away for a while is asked again', async () => {
    const memory = createMemoryOutboxStore();
    let isDown = true;
    const host = createHost({
      ...memory,
      async claim(nowMs, untilMs, limit) {
        if (isDown) throw new Error('down');
        return memory.claim(nowMs, untilMs, limit);
      },
    });
    await host.outbox.enqueue(callback('m1'));
    await host.passSeconds(4);
    expect(host.sent).toEqual([]);
    isDown = false;
    await host.advance(1_000);
    expect(host.sent).toEqual(['m1']);
  });

  it('OUTBOX-3: a sender that throws has delivered nothing', async () => {
    const host = createHost();
    host.answerWith(() => {
      if (host.sent.length === 1) throw new Error('broken');
      return DELIVERED;
    });
    await host.outbox.enqueue(callback('m1'));
    await host.advance(0);
    await host.advance(250);
    expect(await host.outbox.view('m1')).toMatchObject({ status: 'delivered', attempts: 2 });
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
      async nextDueMs() {
        const found = await memory.nextDueMs();
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
  function onFakeTimers(
    outcome: () => Promise<AttemptOutcome>,
    sharedPollMs?: number,
  ): OutboxEngine {
    vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) });
    return createOutbox({
      store: createMemoryOutboxStore(),
      send: outcome,
      clock: { nowMs: () => Date.now() },
      alarm: { set: () => undefined },
      logger: createSilentLogger(),
      random: () => 0,
      ...(sharedPollMs === undefined ? {} : { sharedPollMs }),
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

  it('STREAM-18: on a shared store it waits for its own attempts alone', async () => {
    const answer = Promise.withResolvers<AttemptOutcome>();
    const outbox = onFakeTimers(() => answer.promise, 1_000);
    await outbox.enqueue(callback('m1'));
    void outbox.wake();
    let isOver = false;
    void outbox.flush(3000).then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(500);
    expect(isOver).toBe(false);
    answer.resolve(AGAIN);
    await vi.advanceTimersByTimeAsync(50);
    expect(isOver).toBe(true);
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
