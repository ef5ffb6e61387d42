/** One task from its submission to its result. */

import { scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { startFileServer } from './file-server.ts';
import { dataUrl, pictureForm, png } from './pictures.ts';
import type { TaskWorld } from './task-world.ts';

/** Adds the tests. */
export function describeSubmitting(world: () => TaskWorld): void {
  it('TASK-31, TASK-13: a task is accepted at once, found where its answer says, and shows its result', async () => {
    const caller = await world().caller('submits');
    const { status, headers, body } = await caller.submit({
      echo: { answer: [42, 'ü'] },
      priority: 7,
    });
    expect(status).toBe(202);
    expect(body).toEqual({
      task_id: expect.stringMatching(/^task_[0-9A-Za-z]{20,}$/),
      status: expect.stringMatching(/^(queued|running)$/),
      type: 'test',
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const { pathname } = new URL(headers.get('location') ?? '', world().host.baseUrl);
    expect(pathname).toBe(`/api/v1/tasks/${body.task_id}`);
    const task = await caller.ended(body.task_id);
    expect(task).toMatchObject({
      ...body,
      status: 'succeeded',
      result: { echo: { answer: [42, 'ü'] } },
      priority: 7,
      attempts: 1,
      progress: 1,
      error: null,
      batch_id: null,
      callback: null,
    });
    const times = [task.created_at, task.started_at, task.finished_at].map((time) =>
      Date.parse(time ?? ''),
    );
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('TASK-36: `Prefer: wait` gives the result where it comes in time', async () => {
    const caller = await world().caller('waits');
    const { status, headers, body } = await caller.submit({ echo: 'soon' }, { prefer: 'wait=20' });
    expect(status).toBe(200);
    expect(headers.get('preference-applied')).toBe('wait=20');
    expect(body).toMatchObject({ status: 'succeeded', result: { echo: 'soon' } });
  });

  it('TASK-36: a wait that was too short gives 202, and the next one the result', async () => {
    const caller = await world().caller('waits-more');
    const { status, headers, body } = await caller.submit(
      { sleepMs: 2_000, echo: 'later' },
      { prefer: 'wait=1' },
    );
    expect(status).toBe(202);
    expect(headers.has('preference-applied')).toBe(false);
    const path = `/api/v1/tasks/${body.task_id}`;
    const later = await caller.ask('GET', path, undefined, { prefer: 'wait=20' });
    expect(later.headers.get('preference-applied')).toBe('wait=20');
    expect(later.body).toMatchObject({ status: 'succeeded', result: { echo: 'later' } });
  });

  it('ENGINE-16: content is written by a vendor, with model, provider and usage', async () => {
    const caller = await world().caller('writes');
    const prompt = scriptedPrompt({ tokens: 20 });
    const fields = { kind: 'article', prompt, model: 'gpt-4o' };
    const { status, body } = await caller.submit(
      fields,
      { prefer: 'wait=30' },
      'content-generation',
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'succeeded',
      type: 'content-generation',
      result: {
        text: expect.any(String),
        model: 'gpt-4o',
        provider: 'openai',
        finish_reason: 'stop',
        usage: { source: 'provider' },
      },
    });
    const { usage } = body.result as { usage: Record<string, unknown> };
    expect(usage['input_tokens']).toBeGreaterThan(0);
    expect(usage['output_tokens']).toBeGreaterThan(0);
    expect(JSON.stringify(body.result)).not.toContain('simulated');
  });

  it('TASK-42, INPUT-1: a form is streamed to its file, which is gone with the task', async () => {
    const caller = await world().caller('uploads');
    const { status, body } = await caller.submit(
      pictureForm(png(33, 21), { decode: 'true', priority: '9' }),
      { prefer: 'wait=20' },
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'succeeded',
      priority: 9,
      result: { width: 33, height: 21, files: ['image[0]'] },
    });
    await expect.poll(() => world().host.filesLeft()).toEqual([]);
  });

  it('INPUT-2: a file comes as a data: URL, as base64, or from a URL', async () => {
    const caller = await world().caller('references');
    const picture = png(17, 9);
    const server = await startFileServer((_request, response) => response.end(picture));
    try {
      const images = [
        dataUrl(picture),
        picture.toString('base64'),
        { url: server.urlFor('a.png') },
      ];
      for (const image of images) {
        const { body } = await caller.submit({ image, decode: true }, { prefer: 'wait=20' });
        expect(body).toMatchObject({ status: 'succeeded', result: { width: 17, height: 9 } });
      }
    } finally {
      await server.close();
    }
    await expect.poll(() => world().host.filesLeft()).toEqual([]);
  });
}
