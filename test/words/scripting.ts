import { countWords } from '@headwater/shared/text/scripts/count-words';
import { expect, it } from 'vitest';
import { readPatiently } from '../hosts/patient-reader.ts';
import type { TaskCaller } from '../tasks/task-caller.ts';
import { SLOWLY } from './scripted-mind.ts';
import type { WordWorld } from './word-world.ts';

/** What `GET /api/v1/generate/{id}` says. */
export interface GenerationView {
  readonly generation_id: string;
  readonly status: string;
  readonly text?: string;
  readonly partial_text?: string;
  readonly word_count?: number;
  readonly error?: { readonly code: string };
}

/** A request that is complete. */
export const SCRIPT = {
  project_id: 'proj_123',
  script_type: 'drama',
  title: 'The Ferry',
  description: 'Two sisters wait for a ferry that does not come.',
  length_target: 600,
};

const isOver = ({ status }: GenerationView) => status !== 'queued' && status !== 'running';

/** The generation once it satisfies `holds`. */
export async function generationOnce(
  caller: TaskCaller,
  id: string,
  holds: (generation: GenerationView) => boolean = isOver,
): Promise<GenerationView> {
  const untilMs = Date.now() + 40_000;
  for (;;) {
    const { status, body } = await caller.ask<GenerationView>('GET', `/api/v1/generate/${id}`);
    if (status === 200 && holds(body)) return body;
    if (Date.now() > untilMs) throw new Error(`it stayed ${status} ${JSON.stringify(body)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Asks for a script, which must be accepted. */
export async function beginScript(
  caller: TaskCaller,
  more: Readonly<Record<string, string | number | boolean>> = {},
): Promise<{ generation_id: string; stream_url?: string }> {
  const { status, body } = await caller.ask<{ generation_id: string; status: string }>(
    'POST',
    '/api/v1/generate',
    { ...SCRIPT, ...more },
  );
  expect(status).toBe(202);
  expect(body).toMatchObject({ generation_id: expect.any(String), status: 'queued' });
  return body;
}

export function describeScripting(world: () => WordWorld): void {
  it('SCRIPT-1: writes a script whose length is within a tenth of what was asked', async () => {
    const caller = await world().caller('writes');
    for (const length of [300, 2_000]) {
      const { generation_id: id } = await beginScript(caller, { length_target: length });
      const done = await generationOnce(caller, id);
      expect(done).toMatchObject({ status: 'succeeded', word_count: expect.any(Number) });
      expect(countWords(done.text ?? '')).toBe(done.word_count);
      expect(Math.abs((done.word_count ?? 0) - length)).toBeLessThanOrEqual(length / 10);
    }
  });

  it('SCRIPT-2: can be read while it is written, by a URL that a browser can open', async () => {
    const caller = await world().caller('watches-script');
    const description = `${SCRIPT.description} ${SLOWLY}`;
    const begun = await beginScript(caller, { description, stream: true, length_target: 200 });
    const url = begun.stream_url ?? '';
    expect(url.startsWith(world().host.baseUrl)).toBe(true);
    const read = await readPatiently(url);
    expect(read.breaches).toEqual([]);
    expect(read.end).toMatchObject({ type: 'done', status: 'completed' });
    expect((await generationOnce(caller, begun.generation_id)).text?.trim()).toBe(read.text.trim());
  });

  it('SCRIPT-3: can be stopped, and what was written stays', async () => {
    const caller = await world().caller('stops-script');
    const description = `${SCRIPT.description} ${SLOWLY}`;
    const { generation_id: id } = await beginScript(caller, { description, length_target: 3_000 });
    await generationOnce(caller, id, ({ partial_text: text = '' }) => text.length > 40);
    expect((await caller.ask('DELETE', `/api/v1/generate/${id}`)).status).toBe(200);
    const over = await generationOnce(caller, id);
    expect(over.status).toBe('canceled');
    expect((over.partial_text ?? over.text ?? '').length).toBeGreaterThan(40);
  });

  it('SCRIPT-4: is its caller’s own', async () => {
    const [one, other] = [await world().caller('owns-script'), await world().caller('spies')];
    const { generation_id: id } = await beginScript(one);
    expect((await other.ask('GET', `/api/v1/generate/${id}`)).status).toBe(404);
    expect((await other.ask('DELETE', `/api/v1/generate/${id}`)).status).toBe(404);
    expect((await generationOnce(one, id)).status).toBe('succeeded');
  });

  it.each([
    [{ length_target: 0 }, 'length_target'],
    [{ length_target: 1_000_000 }, 'length_target'],
    [{ template_id: 'no-such-template' }, 'template_id'],
    [{ model: 'no-such-model' }, 'model'],
    [{ script_type: 'haiku-opera' }, 'script_type'],
    [{ title: '' }, 'title'],
  ])('SCRIPT-5: %j is refused, by name', async (fault, path) => {
    const caller = await world().caller('faulty-script');
    const { status, body } = await caller.ask('POST', '/api/v1/generate', { ...SCRIPT, ...fault });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(path);
  });

  it('SCRIPT-6: lists templates for every type of script', async () => {
    const caller = await world().caller('looks-at-templates');
    const { status, body } = await caller.ask('GET', '/api/v1/templates');
    expect(status).toBe(200);
    for (const type of ['drama', 'comedy', 'documentary', 'advertisement', 'tutorial', 'podcast']) {
      expect(JSON.stringify(body)).toContain(type);
    }
  });
}
