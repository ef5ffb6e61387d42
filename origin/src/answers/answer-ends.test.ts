import type { StreamRequest } from '@headwater/shared/stream/session-state';
import type { StreamView } from '@headwater/shared/stream/stream-view';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { expect, it } from 'vitest';
import { createAnswerEnds } from './answer-ends.ts';

const ENDED: Partial<StreamView> = {
  streamId: 's',
  status: 'completed',
  text: 'said',
  model: 'gpt-4',
  provider: 'openai',
  finishReason: 'stop',
  usage: { inputTokens: 1, outputTokens: 1, source: 'provider' },
};

/** Keys under which an answer that ended like this is kept. */
async function keptOf(view: Partial<StreamView>): Promise<string[]> {
  const keys: string[] = [];
  const ends = createAnswerEnds({
    logger: createSilentLogger(),
    cache: { keep: async (key) => void keys.push(key) },
    costOf: () => null,
    view: async () => ({ ...ENDED, ...view }) as StreamView,
  });
  await ends.ended({ streamId: 's', cache: { key: 'k', ttlMs: 1 } } as StreamRequest);
  return keys;
}

it('ANSWER-9: what is whole is kept', async () => {
  expect(await keptOf({})).toEqual(['k']);
});

it.each([
  ['was cut by its bound', { finishReason: 'length' }],
  ['failed', { status: 'failed' }],
  ['was stopped', { status: 'cancelled' }],
  ['has no token counts', { usage: null }],
  ['the simulation gave in a model’s place', { provider: 'echo', model: 'echo' }],
] as const)('ANSWER-9: what %s is not kept', async (_name, view) => {
  expect(await keptOf(view)).toEqual([]);
});
