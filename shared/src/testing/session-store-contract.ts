/** What every {@link SessionStore} must do. */

import { describe, expect, it } from 'vitest';
import type { SessionStore } from '../stream/ports.ts';
import { aNewSession } from './session-fixtures.ts';

/** An empty store; `reopen` is there where a store outlives what holds it. */
export interface SessionStoreSubject {
  readonly store: SessionStore;
  readonly reopen?: () => SessionStore | Promise<SessionStore>;
}

/** Runs a test with an empty store, wherever that must happen. */
export type WithSessionStore = (
  test: (subject: SessionStoreSubject) => Promise<void>,
) => Promise<void>;

const NOW_MS = Date.UTC(2030, 0, 1);

/** Declares the suite; `durable` adds what a store that survives a restart owes. */
export function describeSessionStoreContract(
  name: string,
  withStore: WithSessionStore,
  { durable }: { readonly durable: boolean },
): void {
  describe(`session store: ${name}`, () => {
    const pending = aNewSession(NOW_MS, { prompt: 'é "\\ \u0000 \u{1F30A}', temperature: 0.5 });

    it('an empty store has no state', () =>
      withStore(async ({ store }) => {
        expect(await store.load()).toBeUndefined();
      }));

    it('a state comes back as it was kept', () =>
      withStore(async ({ store }) => {
        await store.save(pending);
        expect(await store.load()).toEqual(pending);
      }));

    it('a later state replaces the whole of an earlier one', () =>
      withStore(async ({ store }) => {
        await store.save({ ...pending, vendorInputTokens: 7, heldText: '\ud83c' });
        const later = { ...pending, status: 'streaming', lastSeq: 3 } as const;
        await store.save(later);
        expect(await store.load()).toEqual(later);
      }));

    it('a dropped store has no state, and takes a new one', () =>
      withStore(async ({ store }) => {
        await store.save(pending);
        await store.drop();
        expect(await store.load()).toBeUndefined();
        await store.save(pending);
        expect(await store.load()).toEqual(pending);
      }));

    if (durable)
      it('STREAM-16: a store opened again has the last state', () =>
        withStore(async ({ store, reopen }) => {
          if (reopen === undefined)
            throw new Error('a durable store must be able to be opened again');
          await store.save(pending);
          await store.save({ ...pending, lastSeq: 9 });
          expect(await (await reopen()).load()).toEqual({ ...pending, lastSeq: 9 });
        }));
  });
}
