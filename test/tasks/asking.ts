/** Who may ask, and for what. */

import { expect, it } from 'vitest';
import { callerWith } from './task-caller.ts';
import { INTERNAL_KEY } from './task-node.ts';
import type { TaskWorld } from './task-world.ts';

const UNKNOWN = `task_${'a'.repeat(24)}`;

/** Adds the tests. */
export function describeAsking(world: () => TaskWorld): void {
  it('TASK-32: another caller’s task is as unknown as one that never was', async () => {
    const owner = await world().caller('asks-own');
    const other = await world().caller('asks-others');
    const { body } = await owner.submit({ echo: 1 }, { prefer: 'wait=20' });
    const answers = await Promise.all(
      [body.task_id, UNKNOWN].flatMap((id) => [
        other.ask('GET', `/api/v1/tasks/${id}`),
        other.ask('GET', `/api/v1/tasks/${id}/events`),
        other.cancel(id),
      ]),
    );
    expect(answers.map(({ status }) => status)).toEqual(new Array(6).fill(404));
    const messages = answers.map(({ body }) => (body as unknown as Refusal).error.message);
    expect(new Set(messages).size).toBe(1);
    expect(await owner.view(body.task_id)).toMatchObject({ status: 'succeeded' });
  });

  it.each([
    ['no token', {}],
    ['a forged token', { authorization: 'Bearer a.b.c' }],
    ['a wrong key', { 'x-api-key': 'wrong' }],
  ])('AUTH-13: with %s every path is 401', async (_name, headers: Record<string, string>) => {
    const nobody = callerWith(world().host.baseUrl, headers);
    const answers = await Promise.all([
      nobody.submit({}),
      nobody.ask('POST', '/api/v1/tasks/batch', { tasks: [{ type: 'test' }] }),
      nobody.ask('GET', `/api/v1/tasks/${UNKNOWN}`),
      nobody.ask('GET', `/api/v1/tasks/${UNKNOWN}/events`),
      nobody.cancel(UNKNOWN),
      nobody.ask('GET', '/api/v1/queue/status'),
      nobody.ask('GET', '/api/v1/health/detailed'),
      nobody.ask('GET', '/api/v1/voices'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(new Array(8).fill(401));
  });

  it('TASK-33, EDGE-20: the header that names a subject counts beside the internal key alone', async () => {
    const { baseUrl } = world().host;
    const owner = await world().caller('named');
    const id = await owner.accept({ echo: 'mine' });
    const named = { 'x-headwater-subject': 'named' };
    const trusted = callerWith(baseUrl, { 'x-api-key': INTERNAL_KEY, ...named });
    expect((await trusted.ended(id)).result).toMatchObject({ echo: 'mine' });
    const other = await world().caller('names-another');
    const { status } = await other.ask('GET', `/api/v1/tasks/${id}`, undefined, named);
    expect(status).toBe(404);
  });

  it('TASK-34, ENGINE-15: an unknown type is 404, one without an engine 503 that says what is missing', async () => {
    const caller = await world().caller('asks-types');
    const unknown = await caller.submit({}, {}, 'dance');
    expect([unknown.status, unknown.body]).toMatchObject([404, { error: { code: 'not_found' } }]);
    for (const type of ['ocr', 'step-detection', 'image-analysis', 'voice-synthesis']) {
      const { status, body } = await caller.submit({}, {}, type);
      expect([status, body]).toMatchObject([503, { error: { code: 'unavailable' } }]);
      expect((body as unknown as Refusal).error.message).toContain('TASK_ENGINES');
    }
    const voices = await caller.ask('GET', '/api/v1/voices');
    expect([voices.status, voices.body]).toMatchObject([503, { error: { code: 'unavailable' } }]);
  });

  it('INPUT-1: parameters that the engine does not know are refused by name', async () => {
    const caller = await world().caller('asks-wrongly');
    const { status, body } = await caller.submit({ sleepMs: -1, dance: true });
    expect([status, body]).toMatchObject([400, { error: { code: 'validation_failed' } }]);
    expect(JSON.stringify(body)).toContain('sleepMs');
    const text = await fetch(`${world().host.baseUrl}/api/v1/tasks/test`, {
      method: 'POST',
      headers: { ...caller.headers, 'content-type': 'application/json' },
      body: '{"echo":',
    });
    expect(text.status).toBe(400);
  });
}

interface Refusal {
  readonly error: { readonly code: string; readonly message: string };
}
