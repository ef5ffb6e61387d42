import { afterEach, expect, it, vi } from 'vitest';
import { createOriginModelLister } from './origin-models.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const MODELS = [
  { id: 'gpt-4o', object: 'model', created: 1, owned_by: 'openai' },
  { id: 'ollama/llama3.2:1b', object: 'model', created: 2, owned_by: 'library' },
];

const lister = createOriginModelLister({
  name: 'ollama',
  originUrls: ['https://one.example', 'https://two.example'],
  apiKey: 'k',
});

it('OPENAI-11: the origin’s Ollama is listed by its own names, from the first origin that answers', async () => {
  const fetched = vi
    .spyOn(globalThis, 'fetch')
    .mockRejectedValueOnce(new TypeError('refused'))
    .mockResolvedValueOnce(Response.json({ object: 'list', data: MODELS }));
  expect(await lister.listModels()).toEqual([
    { id: 'llama3.2:1b', created: 2, owned_by: 'library' },
  ]);
  expect(fetched.mock.calls.map(([url, init]) => [String(url), init?.headers])).toEqual([
    ['https://one.example/v1/models', { 'x-api-key': 'k' }],
    ['https://two.example/v1/models', { 'x-api-key': 'k' }],
  ]);
});

it('OPENAI-11: origins that refuse, or answer something else, list nothing', async () => {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response('', { status: 401 }));
  await expect(lister.listModels()).rejects.toMatchObject({ code: 'unavailable' });
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json({ data: 'no' }));
  await expect(lister.listModels()).rejects.toMatchObject({ code: 'unavailable' });
});
