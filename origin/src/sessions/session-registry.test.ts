import { createMemoryOutboxStore } from '@headwater/shared/callbacks/memory-store';
import { createOutbox } from '@headwater/shared/callbacks/outbox';
import { createProviderRegistry } from '@headwater/shared/providers/registry';
import { createScriptedModel } from '@headwater/shared/testing/scripted-model';
import { aNewSession } from '@headwater/shared/testing/session-fixtures';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSessionRegistry } from './session-registry.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) });
});

afterEach(() => {
  vi.useRealTimers();
});

function createHost() {
  const bodies: { streamId: string; status: string; answer: string }[] = [];
  const clock = { nowMs: () => Date.now() };
  const logger = createSilentLogger();
  const outbox = createOutbox({
    store: createMemoryOutboxStore(),
    send: async ({ body }) => {
      bodies.push(JSON.parse(body));
      return { type: 'delivered', status: 200 };
    },
    clock,
    alarm: { set: () => undefined },
    logger,
    random: () => 0,
  });
  const model = createScriptedModel();
  const registry = createProviderRegistry({ providers: { echo: model.provider } });
  return {
    sessions: createSessionRegistry({ registry, outbox, clock, logger }),
    outbox,
    bodies,
    model,
  };
}

it('STREAM-3, STREAM-4: a session that nobody reads expires, and is forgotten in time', async () => {
  const { sessions, outbox, bodies } = createHost();
  await sessions.create(aNewSession(Date.now()));
  expect(sessions.get('s1')?.status).toBe('pending');
  expect(sessions.get('s2')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(60_000);
  await vi.waitFor(() => expect(sessions.get('s1')?.status).toBe('expired'));
  await outbox.wake();
  expect(bodies).toMatchObject([{ streamId: 's1', status: 'expired' }]);
  await vi.advanceTimersByTimeAsync(601_000);
  expect(sessions.get('s1')).toBeUndefined();
  expect(vi.getTimerCount()).toBe(0);
});

it('STREAM-18: an interrupt ends every live session with `unavailable`, and keeps their callbacks', async () => {
  const { sessions, outbox, bodies, model } = createHost();
  await sessions.create(aNewSession(Date.now(), { streamId: 'live', start: 'now' }));
  await sessions.create(aNewSession(Date.now(), { streamId: 'waiting' }));
  model.text('half');
  await vi.advanceTimersByTimeAsync(1);
  await sessions.interrupt();
  await outbox.wake();
  expect(bodies.map(({ streamId }) => streamId).sort()).toEqual(['live', 'waiting']);
  expect(bodies).toContainEqual(
    expect.objectContaining({
      streamId: 'live',
      status: 'failed',
      answer: 'half',
      error: expect.objectContaining({ code: 'unavailable' }),
    }),
  );
  expect(model.aborted).toBe(true);
});
