/** What every {@link OutboxStore} must do. */

import { describe, expect, it } from 'vitest';
import { type DeliveryState, newDelivery } from '../callbacks/delivery.ts';
import type { OutboxStore } from '../callbacks/outbox.ts';

/** An empty store; `reopen` is there where a store outlives what holds it. */
export interface OutboxStoreSubject {
  readonly store: OutboxStore;
  readonly reopen?: () => OutboxStore | Promise<OutboxStore>;
}

/** Runs a test with an empty store, wherever that must happen. */
export type WithOutboxStore = (
  test: (subject: OutboxStoreSubject) => Promise<void>,
) => Promise<void>;

const NOW_MS = Date.UTC(2030, 0, 1);

const aDelivery = (id: string): DeliveryState =>
  newDelivery(
    { id, url: 'https://n8n.example/wait?signature=é%20', body: '{"a":"\\u0000"}' },
    NOW_MS,
  );

const idsOf = (states: readonly DeliveryState[]) => states.map(({ id }) => id).sort();

/** Declares the suite; `durable` adds what a store that survives a restart owes. */
export function describeOutboxStoreContract(
  name: string,
  withStore: WithOutboxStore,
  { durable }: { readonly durable: boolean },
): void {
  describe(`outbox store: ${name}`, () => {
    it('an empty store knows no delivery', () =>
      withStore(async ({ store }) => {
        expect(await store.get('m1')).toBeUndefined();
        expect(await store.pending()).toEqual([]);
      }));

    it('a delivery comes back as it was kept', () =>
      withStore(async ({ store }) => {
        const state = { ...aDelivery('m1'), attempts: 2, lastStatus: 503 };
        await store.put(state);
        expect(await store.get('m1')).toEqual(state);
        expect(await store.get('m2')).toBeUndefined();
      }));

    it('`pending` has every delivery that is still pending, once, in its last state', () =>
      withStore(async ({ store }) => {
        await store.put(aDelivery('m1'));
        await store.put(aDelivery('m2'));
        await store.put(aDelivery('m3'));
        await store.put({ ...aDelivery('m1'), status: 'delivered' });
        await store.put({ ...aDelivery('m2'), status: 'failed' });
        await store.put({ ...aDelivery('m3'), attempts: 4 });
        expect(await store.pending()).toEqual([{ ...aDelivery('m3'), attempts: 4 }]);
        expect(await store.get('m1')).toMatchObject({ status: 'delivered' });
      }));

    it('what `pending` returned does not change under its reader', () =>
      withStore(async ({ store }) => {
        await store.put(aDelivery('m1'));
        await store.put(aDelivery('m2'));
        const before = await store.pending();
        await store.put({ ...aDelivery('m1'), status: 'delivered' });
        expect(idsOf(before)).toEqual(['m1', 'm2']);
      }));

    it('a dropped delivery is unknown, and the others stay', () =>
      withStore(async ({ store }) => {
        await store.put(aDelivery('m1'));
        await store.put(aDelivery('m2'));
        await store.drop('m1');
        await store.drop('never kept');
        expect(await store.get('m1')).toBeUndefined();
        expect(idsOf(await store.pending())).toEqual(['m2']);
      }));

    if (durable)
      it('OUTBOX-7: a store opened again has every delivery', () =>
        withStore(async ({ store, reopen }) => {
          if (reopen === undefined)
            throw new Error('a durable store must be able to be opened again');
          await store.put(aDelivery('m1'));
          await store.put({ ...aDelivery('m2'), status: 'delivered' });
          const again = await reopen();
          expect(idsOf(await again.pending())).toEqual(['m1']);
          expect(await again.get('m2')).toMatchObject({ status: 'delivered' });
        }));
  });
}
