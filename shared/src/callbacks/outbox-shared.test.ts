import { describe, expect, it } from 'vitest';
import { AGAIN, callback, createHost, DELIVERED, settle } from '../testing/outbox-host.ts';
import { type AttemptOutcome, newDelivery } from './delivery.ts';
import { createMemoryOutboxStore } from './memory-store.ts';
import type { OutboxStore } from './outbox-store.ts';

const POLL_MS = 1_000;

describe('outboxes on one store', () => {
  it('OUTBOX-5: two outboxes on one store send each callback once', async () => {
    const host = createHost();
    const others = [host.outbox, host.run()];
    for (let index = 0; index < 20; index += 1) await host.outbox.enqueue(callback(`m${index}`));
    await Promise.all(others.flatMap((outbox) => [outbox.wake(), outbox.wake()]));
    await host.advance(0);
    await Promise.all(others.map((outbox) => outbox.wake()));
    expect([...host.sent].sort()).toEqual([...new Set(host.sent)].sort());
    expect(host.sent).toHaveLength(20);
  });

  it('OUTBOX-13: on a shared store what another instance kept is found without an alarm', async () => {
    const host = createHost(createMemoryOutboxStore(), 1_000);
    await host.outbox.rearm();
    await host.passSeconds(10);
    await host.advance(500);
    // The alarm of the other instance is not this host's.
    await host.store.add(newDelivery(callback('m1'), host.clock.nowMs()));
    await host.advance(499);
    expect(host.sent).toEqual([]);
    await host.advance(1);
    expect(host.sent).toEqual(['m1']);
    expect(host.alarm.atMs).toBe(host.clock.nowMs() + 1_000);
  });

  /** A store whose claims outlive the process, and what is asked of it. */
  function createSharedStore() {
    const memory = createMemoryOutboxStore();
    const leases: number[] = [];
    const renewals: { readonly ids: readonly string[]; readonly ms: number }[] = [];
    let isDown = false;
    let nowMs: () => number = () => 0;
    const store: OutboxStore = {
      ...memory,
      claim(at, untilMs, limit) {
        leases.push(untilMs - at);
        return memory.claim(at, untilMs, limit);
      },
      async renew(claims, untilMs) {
        if (isDown) throw new Error('down');
        renewals.push({ ids: claims.map(({ id }) => id), ms: untilMs - nowMs() });
      },
    };
    const host = createHost(store, POLL_MS);
    nowMs = host.clock.nowMs;
    return {
      ...{ host, leases, renewals },
      takeDown(down: boolean) {
        isDown = down;
      },
    };
  }

  it('OUTBOX-10: a claim that outlives its process is short, and prolonged during the attempt', async () => {
    const { host, leases, renewals } = createSharedStore();
    const answer = Promise.withResolvers<AttemptOutcome>();
    host.answerWith(() => answer.promise);
    await host.outbox.enqueue(callback('m1'));
    await host.passSeconds(19);
    expect(host.sent).toEqual(['m1']);
    expect(new Set(leases)).toEqual(new Set([10_000]));
    // No two of them are further apart than what is left of the one before.
    expect(renewals.length).toBeGreaterThanOrEqual(9);
    expect(new Set(renewals.map(({ ms }) => ms))).toEqual(new Set([10_000]));
    expect(renewals.every(({ ids }) => ids.join() === 'm1')).toBe(true);
    answer.resolve(DELIVERED);
    await settle();
    const before = renewals.length;
    await host.passSeconds(10);
    expect(renewals).toHaveLength(before);
  });

  it('OUTBOX-12: claims that cannot be prolonged for a while hold up nothing', async () => {
    const { host, renewals, takeDown } = createSharedStore();
    const answer = Promise.withResolvers<AttemptOutcome>();
    host.answerWith((id) => (id === 'slow' ? answer.promise : DELIVERED));
    await host.outbox.enqueue(callback('slow'));
    await host.advance(0);
    takeDown(true);
    await host.passSeconds(4);
    takeDown(false);
    await host.outbox.enqueue({ ...callback('quick'), url: 'https://other.example/' });
    await host.passSeconds(4);
    expect(renewals.length).toBeGreaterThan(0);
    expect(await host.outbox.view('quick')).toMatchObject({ status: 'delivered' });
    answer.resolve(AGAIN);
    await settle();
    expect(await host.outbox.view('slow')).toMatchObject({ status: 'pending', attempts: 1 });
  });
});
