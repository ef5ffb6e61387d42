import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describeAlarmContract } from '@headwater/shared/testing/alarm-contract';
import { expect, it } from 'vitest';
import { createSharedAlarm } from './shared-alarm.ts';

/** Far enough away that no alarm rings by itself. */
const START_MS = Date.UTC(2090, 0, 1);

const withStorage = (test: (storage: DurableObjectStorage) => Promise<void>): Promise<void> =>
  runInDurableObject(env.SESSIONS.get(env.SESSIONS.newUniqueId()), (_object, { storage }) =>
    test(storage),
  );

it("the object's alarm is set to the earliest of its owners' times, and cleared with the last", () =>
  withStorage(async (storage) => {
    const shared = createSharedAlarm(storage, () => START_MS);
    const one = shared.named(async () => undefined);
    const two = shared.named(async () => undefined);
    one.set(START_MS + 2000);
    expect(await storage.getAlarm()).toBe(START_MS + 2000);
    two.set(START_MS + 1000);
    expect(await storage.getAlarm()).toBe(START_MS + 1000);
    two.set(START_MS + 3000);
    expect(await storage.getAlarm()).toBe(START_MS + 2000);
    one.set(undefined);
    expect(await storage.getAlarm()).toBe(START_MS + 3000);
    two.set(undefined);
    expect(await storage.getAlarm()).toBeNull();
  }));

it('a ring calls the owners that are due, each once, and arms the next', () =>
  withStorage(async (storage) => {
    let now = START_MS;
    const rung: string[] = [];
    const shared = createSharedAlarm(storage, () => now);
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

it('a ring that comes too early calls nobody and is set again', () =>
  withStorage(async (storage) => {
    const rung: string[] = [];
    const shared = createSharedAlarm(storage, () => START_MS);
    shared.named(async () => void rung.push('one')).set(START_MS + 1000);
    await storage.deleteAlarm();
    await shared.ring();
    expect(rung).toEqual([]);
    expect(await storage.getAlarm()).toBe(START_MS + 1000);
  }));

it('an owner that sets its alarm while it is called is called again', () =>
  withStorage(async (storage) => {
    let calls = 0;
    const shared = createSharedAlarm(storage, () => START_MS);
    const alarm = shared.named(async () => {
      calls += 1;
      if (calls === 1) alarm.set(START_MS + 500);
    });
    alarm.set(START_MS);
    await shared.ring();
    expect(calls).toBe(1);
    expect(await storage.getAlarm()).toBe(START_MS + 500);
  }));

describeAlarmContract("a Durable Object's alarm, shared", (test) =>
  withStorage(async (storage) => {
    let now = START_MS;
    const shared = createSharedAlarm(storage, () => now);
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
