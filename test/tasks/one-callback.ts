/** A callback that came once in effect. */

import { expect } from 'vitest';
import type { CallbackReceiver } from '../hosts/callback-receiver.ts';

/** It came, with this in it; every repetition has the same id and says the same. */
export async function expectOneCallback(
  receiver: CallbackReceiver,
  name: string,
  wanted: Readonly<Record<string, unknown>>,
): Promise<void> {
  expect((await receiver.attempt(name)).body).toMatchObject(wanted);
  const received = receiver.received(name);
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(received.map(({ raw }) => raw)).size).toBe(1);
}
