import { expect, it } from 'vitest';
import type { StreamEvent } from '../stream/event.ts';
import { createCompletionCollector } from './chat-completion.ts';

const delta = (text: string): StreamEvent => ({ type: 'delta', text });
const USAGE: StreamEvent = { type: 'usage', inputTokens: 3, outputTokens: 2, source: 'tokenizer' };
const DONE: StreamEvent = { type: 'done', status: 'completed', finishReason: 'length' };

function collect(...events: readonly StreamEvent[]) {
  const collector = createCompletionCollector();
  for (const event of events) collector.take(event);
  collector.closed();
  return collector.completion;
}

it('OPENAI-4: the whole text, the reason and the token counts come in one object', async () => {
  expect(await collect(delta('  Hé\r\n'), delta('llo'), USAGE, DONE)).toEqual({
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: '  Hé\r\nllo', refusal: null },
        logprobs: null,
        finish_reason: 'length',
      },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });
});

it('OPENAI-4: tool calls come whole, and an answer of nothing else has no content', async () => {
  const piece = { type: 'tool_call', index: 1 } as const;
  const { choices } = await collect(
    { type: 'tool_call', index: 0, id: 'c1', name: 'time', arguments: '{}' },
    { ...piece, id: 'c2', name: 'weather', arguments: '{"city"' },
    { ...piece, arguments: ':"Bern"}' },
    USAGE,
    { type: 'done', status: 'completed', finishReason: 'tool_calls' },
  );
  expect(choices[0].finish_reason).toBe('tool_calls');
  expect(choices[0].message).toEqual({
    role: 'assistant',
    content: null,
    refusal: null,
    tool_calls: [
      { id: 'c1', type: 'function', function: { name: 'time', arguments: '{}' } },
      { id: 'c2', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } },
    ],
  });
});

it('OPENAI-7: what a model said before another one took over is void', async () => {
  const { choices } = await collect(
    delta('void'),
    { type: 'tool_call', index: 0, id: 'c1', name: 'time', arguments: '{}' },
    { type: 'restart', reason: 'upstream_failed', model: 'echo' },
    delta('good'),
    USAGE,
    DONE,
  );
  expect(choices[0].message).toEqual({ role: 'assistant', content: 'good', refusal: null });
});

it('OPENAI-6: a failed, stopped or lost answer is no answer', async () => {
  const failed: StreamEvent = { type: 'error', code: 'upstream_failed', message: 'Sorry.' };
  const stopped: StreamEvent = { type: 'done', status: 'cancelled', finishReason: null };
  await expect(collect(delta('half'), USAGE, failed)).rejects.toMatchObject({
    code: 'upstream_failed',
    message: 'Sorry.',
  });
  await expect(collect(delta('half'), USAGE, stopped)).rejects.toMatchObject({
    code: 'unavailable',
  });
  await expect(collect(delta('half'))).rejects.toMatchObject({ code: 'unavailable' });
});
