/** Events of a task. */

import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { type SeenEvent, sawEnd, textOf } from '../hosts/gateway-client.ts';
import type { TaskWorld } from './task-world.ts';

const WORDS = Array.from({ length: 60 }, (_, n) => `word ${n}\n`);

/** Numbers of events, which must have no hole. */
const numbersOf = (events: readonly SeenEvent[]) =>
  events.map(({ id }) => Number(id?.split('-')[1]));

/** Adds the tests. */
export function describeFollowing(world: () => TaskWorld): void {
  it('TASK-43: a reader that is cut off goes on after the last event it has', async () => {
    const caller = await world().caller('follows');
    const id = await caller.accept({ text: WORDS, sleepMs: 600, progressSteps: 3 });
    const seen: SeenEvent[] = [];
    // Cut once before the task is over, and once more wherever that is.
    for (const more of [2, 3]) {
      const lastEventId = seen.at(-1)?.id;
      const part = await caller.read(id, {
        ...(lastEventId === undefined ? {} : { lastEventId }),
        until: (events) => events.length >= more,
      });
      expect(part.headers.get('content-type')).toContain('text/event-stream');
      seen.push(...part.events.slice(0, more));
    }
    const rest = await caller.read(id, { lastEventId: seen.at(-1)?.id ?? '' });
    seen.push(...rest.events);
    expect(textOf(seen)).toBe(WORDS.join(''));
    expect(sawEnd(seen)).toBe(true);
    expect(numbersOf(seen)).toEqual(seen.map((_, n) => n + 1));
    const progress = seen
      .filter(({ event }) => event === 'progress')
      .map(({ data }) => JSON.parse(data));
    expect(progress.at(0)).toMatchObject({ status: 'running', attempts: 1, progress: 0 });
    expect(progress.at(-1)).toMatchObject({ progress: 1, stage: 'step 3' });
    const after = await caller.read(id, { lastEventId: seen.at(-1)?.id ?? '' });
    expect(after.status).toBe(204);
  });

  it('TASK-43, TASK-15: events come while the task runs, and a late reader gets the same ones', async () => {
    const caller = await world().caller('follows-live');
    const id = await caller.accept({ text: ['live'], sleepMs: 5_000 });
    const live = await caller.read(id, {
      query: { format: 'json' },
      until: (events) => events.some(({ data }) => data.includes('live')),
    });
    expect((await caller.view(id)).status).toBe('running');
    await caller.cancel(id);
    const whole = await caller.read(id, { query: { format: 'json' } });
    expect(whole.events.slice(0, live.events.length)).toEqual(live.events);
    expect(JSON.parse(whole.events.at(-1)?.data ?? '')).toMatchObject({
      type: 'done',
      status: 'cancelled',
    });
  });

  it('TASK-4, TASK-43: text of an attempt that failed is void: a restart comes before the next text', async () => {
    const caller = await world().caller('follows-restart');
    const fields = { key: randomUUID(), text: WORDS, fail: { code: 'unavailable', times: 1 } };
    const id = await caller.accept(fields);
    const read = await caller.readPatiently(id, {
      mood: (events) => (events % 3 === 0 ? 'cut' : 'read'),
    });
    expect(read).toMatchObject({
      text: WORDS.join(''),
      end: { type: 'done', status: 'completed' },
      restarts: 1,
      breaches: [],
    });
    expect(read.connections).toBeGreaterThan(1);
  });

  it('TASK-43: a failure is the last event, and a task that waits for its turn has a stream too', async () => {
    const caller = await world().caller('follows-failure');
    const id = await caller.accept({ fail: { code: 'conflict' } });
    const { events } = await caller.read(id);
    expect(events.at(-1)?.event).toBe('error');
    expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({ code: 'conflict' });
    const another = await world().caller('follows-others');
    expect((await another.read(id)).status).toBe(404);
  });
}
