/** What every {@link OutboxStore} must do. */

import { describe, expect, it } from 'vitest';
import { type DeliveryState, newDelivery } from '../callbacks/delivery.ts';
import {
  CLAIMS_PER_HOST,
  type DeliveryClaim,
  type OutboxStore,
} from '../callbacks/outbox-store.ts';

/** An empty store. */
export interface OutboxStoreSubject {
  readonly store: OutboxStore;
  /** There where a store outlives what holds it. */
  readonly reopen?: () => OutboxStore | Promise<OutboxStore>;
  /** There where several processes use one store: the same one, as another process sees it. */
  readonly other?: () => OutboxStore | Promise<OutboxStore>;
}

/** Runs a test with an empty store, wherever that must happen. */
export type WithOutboxStore = (
  test: (subject: OutboxStoreSubject) => Promise<void>,
) => Promise<void>;

/** What a store promises beyond the port. */
export interface OutboxStorePromises {
  /** It survives a restart. */
  readonly durable: boolean;
  /** Several processes may use it at once, and claims outlive the one that made them. */
  readonly shared?: boolean;
}

const NOW_MS = Date.UTC(2030, 0, 1);
const LEASE_MS = 60_000;
const UNTIL_MS = NOW_MS + LEASE_MS;

const aDelivery = (id: string, host = 'n8n.example', dueMs = NOW_MS): DeliveryState =>
  newDelivery(
    { id, url: `https://${host}/wait?signature=é%20`, body: '{"a":"\\u0000\u{1F30A}"}' },
    dueMs,
  );

const delivered = (state: DeliveryState): DeliveryState => ({
  ...state,
  status: 'delivered',
  attempts: state.attempts + 1,
  lastStatus: 200,
});

const putOff = (state: DeliveryState, dueMs: number): DeliveryState => ({
  ...state,
  attempts: state.attempts + 1,
  nextAttemptAtMs: dueMs,
});

const idsOf = (claims: readonly DeliveryClaim[]) => claims.map(({ state }) => state.id);

async function claimOne(store: OutboxStore, nowMs = NOW_MS): Promise<DeliveryClaim> {
  const [claim] = await store.claim(nowMs, nowMs + LEASE_MS, 1);
  if (claim === undefined) throw new Error('nothing could be claimed');
  return claim;
}

/** Declares the suite. */
export function describeOutboxStoreContract(
  name: string,
  withStore: WithOutboxStore,
  { durable, shared = false }: OutboxStorePromises,
): void {
  /** A test that needs nothing but the store. */
  const test = (title: string, body: (store: OutboxStore) => Promise<void>) =>
    it(title, () => withStore(({ store }) => body(store)));

  describe(`outbox store: ${name}`, () => {
    test('an empty store knows no delivery', async (store) => {
      expect(await store.get('m1')).toBeUndefined();
      expect(await store.claim(NOW_MS, UNTIL_MS, 10)).toEqual([]);
      expect(await store.nextDueMs()).toBeUndefined();
    });

    test('a delivery comes back as it was kept', async (store) => {
      const state = { ...aDelivery('m1'), attempts: 2, lastStatus: 503 };
      expect(await store.add(state)).toBe(true);
      expect(await store.get('m1')).toEqual(state);
      expect(await store.get('m2')).toBeUndefined();
      expect((await claimOne(store)).state).toEqual(state);
    });

    test('OUTBOX-2: an id that is known is not kept again, whatever became of it', async (store) => {
      await store.add(aDelivery('m1'));
      expect(await store.add({ ...aDelivery('m1'), body: '{}' })).toBe(false);
      const { state, token } = await claimOne(store);
      expect(await store.add(aDelivery('m1'))).toBe(false);
      await store.put(delivered(state), token);
      expect(await store.add(aDelivery('m1'))).toBe(false);
      expect(await store.get('m1')).toEqual(delivered(state));
      expect(await store.claim(NOW_MS, UNTIL_MS, 10)).toEqual([]);
    });

    test('OUTBOX-2: of several calls at once with one id one keeps it', async (store) => {
      const bodies = ['1', '2', '3', '4'];
      const kept = await Promise.all(
        bodies.map(async (body) => store.add({ ...aDelivery('m1'), body })),
      );
      expect(kept.filter(Boolean)).toHaveLength(1);
      expect((await store.get('m1'))?.body).toBe(bodies[kept.indexOf(true)]);
    });

    test('a claim has what is due, the oldest first, and no more than its limit', async (store) => {
      await store.add(aDelivery('third', 'c.example', NOW_MS));
      await store.add(aDelivery('first', 'a.example', NOW_MS - 20));
      await store.add(aDelivery('later', 'a.example', NOW_MS + 1));
      await store.add(aDelivery('second', 'a.example', NOW_MS - 10));
      expect(idsOf(await store.claim(NOW_MS, UNTIL_MS, 2))).toEqual(['first', 'second']);
      expect(idsOf(await store.claim(NOW_MS, UNTIL_MS, 2))).toEqual(['third']);
      expect(await store.claim(NOW_MS, UNTIL_MS, 2)).toEqual([]);
      expect(idsOf(await store.claim(NOW_MS + 1, UNTIL_MS, 2))).toEqual(['later']);
    });

    test('OUTBOX-5: what is claimed is hidden until its lease ends', async (store) => {
      await store.add(aDelivery('m1'));
      const first = await claimOne(store);
      expect(await store.claim(UNTIL_MS - 1, UNTIL_MS + LEASE_MS, 10)).toEqual([]);
      const [second] = await store.claim(UNTIL_MS, UNTIL_MS + LEASE_MS, 10);
      expect(second?.state).toEqual(first.state);
      expect(second?.token).not.toBe(first.token);
    });

    test('OUTBOX-5: of claims at once each delivery is in one', async (store) => {
      const ids = Array.from({ length: 60 }, (_, index) => `m${index}`);
      for (const id of ids) await store.add(aDelivery(id, `${id}.example`));
      const claims = await Promise.all(
        Array.from({ length: 10 }, async () => store.claim(NOW_MS, UNTIL_MS, 10)),
      );
      expect(claims.flatMap(idsOf).sort()).toEqual(ids.sort());
    });

    test('an attempt that is put off can be claimed again when it is due', async (store) => {
      await store.add(aDelivery('m1'));
      const { state, token } = await claimOne(store);
      const next = putOff(state, NOW_MS + 250);
      await store.put(next, token);
      expect(await store.get('m1')).toEqual(next);
      expect(await store.claim(NOW_MS + 249, UNTIL_MS, 10)).toEqual([]);
      expect((await claimOne(store, NOW_MS + 250)).state).toEqual(next);
      expect(await store.claim(UNTIL_MS, UNTIL_MS + LEASE_MS, 10)).toEqual([]);
    });

    test('a delivery that is over is kept for its readers, and never claimed', async (store) => {
      await store.add(aDelivery('m1'));
      const { state, token } = await claimOne(store);
      await store.put({ ...state, status: 'failed' }, token);
      expect(await store.get('m1')).toEqual({ ...state, status: 'failed' });
      expect(await store.claim(UNTIL_MS, UNTIL_MS + LEASE_MS, 10)).toEqual([]);
      expect(await store.nextDueMs()).toBeUndefined();
    });

    test('OUTBOX-10: an attempt whose lease ran out does not undo a later one', async (store) => {
      await store.add(aDelivery('m1'));
      const late = await claimOne(store);
      const later = await claimOne(store, UNTIL_MS);
      await store.put(putOff(late.state, UNTIL_MS), late.token);
      expect(await store.get('m1')).toEqual(later.state);
      expect(await store.claim(UNTIL_MS, UNTIL_MS + LEASE_MS, 10)).toEqual([]);
      await store.put(delivered(later.state), later.token);
      await store.put(putOff(late.state, UNTIL_MS), late.token);
      await store.put({ ...late.state, status: 'failed' }, later.token);
      expect(await store.get('m1')).toEqual(delivered(later.state));
    });

    test('OUTBOX-10: an attempt whose lease ran out counts while nobody has claimed it again', async (store) => {
      await store.add(aDelivery('m1'));
      const { state, token } = await claimOne(store);
      expect(await store.claim(UNTIL_MS, UNTIL_MS + LEASE_MS, 0)).toEqual([]);
      const next = putOff(state, UNTIL_MS + 250);
      await store.put(next, token);
      expect(await store.get('m1')).toEqual(next);
      expect(await store.nextDueMs()).toBe(UNTIL_MS + 250);
      expect((await claimOne(store, UNTIL_MS + 250)).state).toEqual(next);
    });

    test('OUTBOX-10: what was delivered stays so, also by a claim whose lease ran out', async (store) => {
      await store.add(aDelivery('m1'));
      const late = await claimOne(store);
      const later = await claimOne(store, UNTIL_MS);
      await store.put(delivered(late.state), late.token);
      await store.put(putOff(later.state, UNTIL_MS), later.token);
      expect(await store.get('m1')).toEqual(delivered(late.state));
      expect(await store.nextDueMs()).toBeUndefined();
      expect(await store.claim(UNTIL_MS + LEASE_MS, UNTIL_MS + LEASE_MS, 10)).toEqual([]);
    });

    test('OUTBOX-10: what is delivered while it waits again is over', async (store) => {
      await store.add(aDelivery('m1'));
      const late = await claimOne(store);
      const later = await claimOne(store, UNTIL_MS);
      await store.put(putOff(later.state, UNTIL_MS + 250), later.token);
      await store.put(delivered(late.state), late.token);
      expect(await store.nextDueMs()).toBeUndefined();
      expect(await store.claim(UNTIL_MS + 250, UNTIL_MS + LEASE_MS, 10)).toEqual([]);
    });

    test('OUTBOX-11: a host with its share of claims leaves the others their turn', async (store) => {
      for (let index = 0; index < 30; index += 1) {
        await store.add(aDelivery(`dead${index}`, 'dead.example:8443', NOW_MS - 100 + index));
      }
      await store.add(aDelivery('live', 'live.example', NOW_MS));
      const first = await store.claim(NOW_MS, UNTIL_MS, 20);
      expect(idsOf(first)).toEqual([
        ...Array.from({ length: CLAIMS_PER_HOST }, (_, index) => `dead${index}`),
        'live',
      ]);
      expect(await store.claim(NOW_MS, UNTIL_MS, 20)).toEqual([]);
      expect(await store.nextDueMs()).toBe(UNTIL_MS);
      const [{ state, token }] = first as [DeliveryClaim];
      await store.put(putOff(state, NOW_MS + 1), token);
      expect(await store.nextDueMs()).toBe(NOW_MS - 100 + CLAIMS_PER_HOST);
      expect(idsOf(await store.claim(NOW_MS, UNTIL_MS, 20))).toEqual([`dead${CLAIMS_PER_HOST}`]);
      expect(await store.claim(UNTIL_MS, UNTIL_MS + LEASE_MS, 20)).toHaveLength(
        CLAIMS_PER_HOST + 1,
      );
    });

    test('the next due time is that of what can be claimed, or the end of a lease', async (store) => {
      await store.add(aDelivery('m1', 'a.example', NOW_MS + 50));
      expect(await store.nextDueMs()).toBe(NOW_MS + 50);
      await store.add(aDelivery('m2', 'a.example', NOW_MS + 20));
      expect(await store.nextDueMs()).toBe(NOW_MS + 20);
      await store.add(aDelivery('m3', 'b.example', NOW_MS));
      expect(await store.nextDueMs()).toBe(NOW_MS);
      await store.claim(NOW_MS, UNTIL_MS, 1);
      expect(await store.nextDueMs()).toBe(NOW_MS + 20);
      await store.drop('m2');
      expect(await store.nextDueMs()).toBe(NOW_MS + 50);
      await store.drop('m1');
      expect(await store.nextDueMs()).toBe(UNTIL_MS);
      await store.drop('m3');
      expect(await store.nextDueMs()).toBeUndefined();
    });

    test('a dropped delivery is unknown, also to its attempt, and can be kept anew', async (store) => {
      await store.add(aDelivery('m1'));
      await store.add(aDelivery('m2'));
      const claims = await store.claim(NOW_MS, UNTIL_MS, 2);
      await store.drop('m1');
      await store.drop('never kept');
      for (const { state, token } of claims) await store.put(delivered(state), token);
      expect(await store.get('m1')).toBeUndefined();
      expect(await store.get('m2')).toMatchObject({ status: 'delivered' });
      expect(await store.add(aDelivery('m1'))).toBe(true);
      expect(idsOf(await store.claim(NOW_MS, UNTIL_MS, 2))).toEqual(['m1']);
    });

    if (durable)
      it('OUTBOX-7: a store opened again has every delivery', () =>
        withStore(async ({ store, reopen }) => {
          if (reopen === undefined)
            throw new Error('a durable store must be able to be opened again');
          await store.add(aDelivery('m1', 'a.example', NOW_MS - 2));
          const { state, token } = await claimOne(store);
          await store.put(delivered(state), token);
          await store.add(aDelivery('m2', 'a.example', NOW_MS - 1));
          await store.put(putOff(aDelivery('m2'), NOW_MS + 9), (await claimOne(store)).token);
          await store.add(aDelivery('m3', 'b.example', NOW_MS - 1));
          await claimOne(store);
          const again = await reopen();
          expect(await again.get('m1')).toEqual(delivered(state));
          // Only the claims of a shared store outlive the process: another one may be sending.
          const free = shared ? [] : ['m3'];
          expect(idsOf(await again.claim(NOW_MS, UNTIL_MS, 9))).toEqual(free);
          expect(idsOf(await again.claim(NOW_MS + 9, UNTIL_MS, 9))).toEqual(['m2']);
          expect(await again.add(aDelivery('m1'))).toBe(false);
        }));

    if (shared)
      test('OUTBOX-10: a claim is prolonged while it is held, and by nobody else', async (store) => {
        for (const id of ['held', 'left', 'over', 'lost']) await store.add(aDelivery(id));
        const claims = await store.claim(NOW_MS, NOW_MS + 10, 4);
        const of = (id: string): DeliveryClaim =>
          claims.find(({ state }) => state.id === id) as DeliveryClaim;
        await store.put(delivered(of('over').state), of('over').token);
        await store.renew?.(
          ['held', 'over', 'unknown'].map((id) => ({ id, token: of(id)?.token ?? 1 })),
          NOW_MS + 20,
        );
        await store.renew?.([{ id: 'lost', token: of('lost').token + 1_000 }], NOW_MS + 20);
        expect(idsOf(await store.claim(NOW_MS + 10, NOW_MS + 30, 9)).sort()).toEqual([
          'left',
          'lost',
        ]);
        // Whoever has it now is not disturbed by whoever had it.
        await store.renew?.([{ id: 'lost', token: of('lost').token }], NOW_MS + 99);
        expect(idsOf(await store.claim(NOW_MS + 20, NOW_MS + 40, 9))).toEqual(['held']);
        expect(idsOf(await store.claim(NOW_MS + 30, NOW_MS + 50, 9)).sort()).toEqual([
          'left',
          'lost',
        ]);
      });

    if (shared)
      it('OUTBOX-5: two processes on one store never hold the same delivery', () =>
        withStore(async ({ store, other }) => {
          if (other === undefined) throw new Error('a shared store must be able to be shared');
          const second = await other();
          const ids = Array.from({ length: 40 }, (_, index) => `m${index}`);
          const added = await Promise.all(
            [store, second].map((side) =>
              Promise.all(ids.map(async (id) => side.add(aDelivery(id, `${id}.example`)))),
            ),
          );
          expect(added.flat().filter(Boolean)).toHaveLength(ids.length);
          const claims = await Promise.all(
            Array.from({ length: 8 }, async (_, index) =>
              (index % 2 === 0 ? store : second).claim(NOW_MS, UNTIL_MS, 7),
            ),
          );
          expect(claims.flatMap(idsOf).sort()).toEqual(ids.sort());
        }));
  });
}
