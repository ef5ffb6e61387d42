import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describeAlarmContract } from '@headwater/shared/testing/alarm-contract';
import { expect, it } from 'vitest';
import { createSharedAlarm } from './shared-alarm.ts';

/** Longest an object waits for a life that ended before it did what was due, in ms. */
const GUARD_MS = 10_000;

/** Far enough away that no alarm rings by itself. */
const START_MS = Date.UTC(2090, 0, 1);

const withStorage = (test: (storage: DurableObjectStorage) => Promise<void>): Promise<void> =>
  runInDurableObject(env.SESSIONS.get(env.SESSIONS.newUniqueId()), (_object, { storage }) =>
    test(storage),
  );

/** An alarm at {@link START_MS}; what is due runs as soon as the test waits. */
const open = (storage: DurableObjectStorage, nowMs = () => START_MS) =>
  createSharedAlarm(storage, nowMs, queueMicrotask);

const turn = () => Promise.resolve();

it("PORT-1: the object's alarm is set to the earliest of its owners' times, and cleared with the last", () =>
  withStorage(async (storage) => {
    const shared = open(storage);
    await shared.recall();
    const one = shared.named(async () => undefined);
    const two = shared.named(async () => undefined);
    one.set(START_MS + 200_000);
    expect(await storage.getAlarm()).toBe(START_MS + 200_000);
    two.set(START_MS + 100_000);
    expect(await storage.getAlarm()).toBe(START_MS + 100_000);
    two.set(START_MS + 300_000);
    expect(await storage.getAlarm()).toBe(START_MS + 200_000);
    one.set(undefined);
    expect(await storage.getAlarm()).toBe(START_MS + 300_000);
    two.set(undefined);
    expect(await storage.getAlarm()).toBeNull();
  }));

it('EDGE-4: the first alarm of an object is early, and serves all that comes soon after', () =>
  withStorage(async (storage) => {
    let now = START_MS;
    const shared = open(storage, () => now);
    const session = shared.named(async () => undefined);
    const outbox = shared.named(async () => undefined);
    session.set(now + 60_000);
    expect(await storage.getAlarm()).toBe(START_MS + GUARD_MS);
    now += 500;
    session.set(now + 10_000);
    outbox.set(now);
    await turn();
    outbox.set(now + 60_000);
    expect(await storage.getAlarm()).toBe(START_MS + GUARD_MS);
    outbox.set(undefined);
    session.set(now + 600_000);
    expect(await storage.getAlarm()).toBe(now + 600_000);
  }));

it('EDGE-4: an alarm that rings too early calls nobody, and is set to the very time', () =>
  withStorage(async (storage) => {
    let now = START_MS;
    const rung: string[] = [];
    const shared = open(storage, () => now);
    shared.named(async () => void rung.push('one')).set(START_MS + 60_000);
    now += GUARD_MS;
    await storage.deleteAlarm();
    await shared.ring();
    expect(rung).toEqual([]);
    expect(await storage.getAlarm()).toBe(START_MS + 60_000);
  }));

it('EDGE-4: what is due runs at once, with an alarm behind it, and not again when that rings', () =>
  withStorage(async (storage) => {
    let now = START_MS;
    let calls = 0;
    const shared = open(storage, () => now);
    await shared.recall();
    const alarm = shared.named(async () => {
      calls += 1;
    });
    shared.named(async () => undefined).set(START_MS + 600_000);
    alarm.set(START_MS);
    expect(calls).toBe(0);
    expect(await storage.getAlarm()).toBe(START_MS + GUARD_MS);
    expect(calls).toBe(1);
    now += GUARD_MS;
    await shared.ring();
    expect(calls).toBe(1);
    expect(await storage.getAlarm()).toBe(START_MS + 600_000);
  }));

it('EDGE-4: an alarm that is over, or too late for what is due, is no guard', () =>
  withStorage(async (storage) => {
    let now = START_MS;
    const shared = open(storage, () => now);
    await shared.recall();
    const late = shared.named(async () => undefined);
    const due = shared.named(async () => undefined);
    late.set(START_MS + 50_000);
    due.set(START_MS);
    expect(await storage.getAlarm()).toBe(START_MS + GUARD_MS);
    now += GUARD_MS + 1;
    due.set(now);
    expect(await storage.getAlarm()).toBe(now + GUARD_MS);
  }));

it('EDGE-4: an owner that fails is called again, whether it was called at once or by the alarm', () =>
  withStorage(async (storage) => {
    let now = START_MS;
    let calls = 0;
    const shared = open(storage, () => now);
    shared
      .named(async () => {
        calls += 1;
        if (calls < 3) throw new Error('not yet');
      })
      .set(START_MS);
    await turn();
    await turn();
    expect(calls).toBe(1);
    now += GUARD_MS;
    await expect(shared.ring()).rejects.toThrow('not yet');
    expect(calls).toBe(2);
    expect(await storage.getAlarm()).toBe(now + GUARD_MS);
    now += GUARD_MS;
    await shared.ring();
    expect(calls).toBe(3);
  }));

it('EDGE-4: an object that was restored leaves an alarm that still serves', () =>
  withStorage(async (storage) => {
    await storage.setAlarm(START_MS + 5_000);
    const shared = open(storage);
    await shared.recall();
    shared.named(async () => undefined).set(START_MS + 40_000);
    expect(await storage.getAlarm()).toBe(START_MS + 5_000);
  }));

it('PORT-1: a ring calls the owners that are due, each once, and arms the next', () =>
  withStorage(async (storage) => {
    let now = START_MS;
    const rung: string[] = [];
    const shared = open(storage, () => now);
    const one = shared.named(async () => void rung.push('one'));
    const two = shared.named(async () => void rung.push('two'));
    const three = shared.named(async () => void rung.push('three'));
    one.set(START_MS + 1000);
    two.set(START_MS + 1000);
    three.set(START_MS + 5000);
    now = START_MS + 1000;
    await shared.ring();
    expect(rung).toEqual(['one', 'two']);
    expect(await storage.getAlarm()).toBe(START_MS + 5000);
    await shared.ring();
    expect(rung).toEqual(['one', 'two']);
  }));

it('PORT-1: an owner that sets its alarm while it is called is called again', () =>
  withStorage(async (storage) => {
    let calls = 0;
    let now = START_MS;
    const shared = open(storage, () => now);
    const alarm = shared.named(async () => {
      calls += 1;
      if (calls === 1) alarm.set(START_MS + 1500);
    });
    alarm.set(START_MS + 1000);
    now += 1000;
    await shared.ring();
    expect(calls).toBe(1);
    expect(await storage.getAlarm()).toBe(START_MS + 1500);
  }));

describeAlarmContract("a Durable Object's alarm, shared", (test) =>
  withStorage(async (storage) => {
    let now = START_MS;
    const shared = open(storage, () => now);
    await test({
      alarm: shared.named,
      nowMs: () => now,
      async advance(ms) {
        now += ms;
        const atMs = await storage.getAlarm();
        if (atMs !== null && atMs <= now) await shared.ring();
      },
    });
    await storage.deleteAlarm();
  }),
);
