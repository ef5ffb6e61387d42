import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { createVirtualClock } from '@headwater/shared/testing/virtual-clock';
import { describe, expect, it } from 'vitest';
import { createProjectCheck, PROJECT_NOT_CHECKED } from './project-check.ts';

/** A service that answers by path; `away` refuses. */
function serviceOf(answers: Readonly<Record<string, (() => Response) | 'away'>>) {
  const asked: { readonly url: string; readonly init: RequestInit | undefined }[] = [];
  const clock = createVirtualClock();
  const logger = createSilentLogger();
  const check = createProjectCheck({
    ...{ url: 'http://projects.test', clock, logger },
    fetch: async (url, init) => {
      asked.push({ url: String(url), init });
      const answer = answers[new URL(String(url)).pathname] ?? 'away';
      if (answer === 'away') throw new TypeError('fetch failed');
      return answer();
    },
  });
  return { check, asked, clock, logger };
}

const refusal = (path: string) => ({
  code: 'validation_failed',
  details: { fields: [{ path }] },
});

describe('the project check', () => {
  it('SCRIPT-19: takes over what the service says of the project and the episode', async () => {
    const { check, asked } = serviceOf({
      '/projects/p%3A1': () =>
        Response.json({ name: ' House ', description: 'A \0house.', secret: 1 }),
      '/projects/p%3A1/episodes/e1': () => Response.json({ title: 'x'.repeat(600) }),
    });
    expect(await check.check('p:1', 'e1')).toEqual({
      project: { title: 'House', description: 'A house.' },
      episode: { title: 'x'.repeat(500) },
      warnings: [],
    });
    expect(asked.map(({ url }) => url)).toEqual([
      'http://projects.test/projects/p%3A1',
      'http://projects.test/projects/p%3A1/episodes/e1',
    ]);
    expect(asked[0]?.init?.headers).toEqual({ accept: 'application/json' });
  });

  it('SCRIPT-19: an unknown project, or episode, is refused by its field', async () => {
    const { check } = serviceOf({
      '/projects/p1': () => new Response('{}', { status: 200 }),
      '/projects/p1/episodes/e1': () => new Response('', { status: 404 }),
      '/projects/p2': () => new Response('', { status: 404 }),
      '/projects/p2/episodes/e1': () => new Response('', { status: 404 }),
    });
    await expect(check.check('p1', 'e1')).rejects.toMatchObject(refusal('episode_id'));
    await expect(check.check('p2', 'e1')).rejects.toMatchObject(refusal('project_id'));
    expect(await check.check('p1', undefined)).toEqual({ project: {}, warnings: [] });
  });

  it.each([
    ['does not answer', 'away'],
    ['fails', () => new Response('', { status: 500 })],
    ['refuses us', () => new Response('', { status: 403 })],
    [
      'sends us elsewhere',
      () => new Response('', { status: 302, headers: { location: 'http://x' } }),
    ],
  ] as const)('SCRIPT-20: a service that %s costs a warning, not the script', async (_, answer) => {
    const { check } = serviceOf({ '/projects/p1': answer });
    expect(await check.check('p1', undefined)).toEqual({ warnings: [PROJECT_NOT_CHECKED] });
  });

  it('SCRIPT-20: a service that is away is not waited for each time, and looked for again', async () => {
    const { check, asked, clock } = serviceOf({});
    for (let time = 0; time < 5; time += 1) await check.check('p1', undefined);
    expect(asked).toHaveLength(2);
    await clock.advance(30_001);
    await check.check('p1', undefined);
    expect(asked).toHaveLength(3);
    await check.check('p1', undefined);
    expect(asked).toHaveLength(3);
  });

  it('SCRIPT-20: it has two seconds', async () => {
    const { check, asked } = serviceOf({ '/projects/p1': () => Response.json({}) });
    await check.check('p1', undefined);
    expect(asked[0]?.init?.signal).toBeInstanceOf(AbortSignal);
  });

  it('SCRIPT-19: an answer that is no JSON is a project all the same', async () => {
    const { check } = serviceOf({ '/projects/p1': () => new Response('<html>') });
    expect(await check.check('p1', undefined)).toEqual({ project: {}, warnings: [] });
  });

  it('SCRIPT-19: without a service nothing is asked', async () => {
    const check = createProjectCheck({
      ...{ url: undefined, clock: createVirtualClock(), logger: createSilentLogger() },
      fetch: () => Promise.reject(new Error('asked')),
    });
    expect(await check.check('p1', 'e1')).toEqual({ warnings: [] });
  });
});
