import { describe, expect, it } from 'vitest';
import type { ModelEvent, ModelRequest } from '../contract.ts';
import { createEchoProvider, echoAnswer } from './adapter.ts';

const request: ModelRequest = {
  model: 'echo',
  messages: [
    { role: 'user', content: 'first' },
    { role: 'user', content: '  two\n\nlines é 漢字 ' },
  ],
  maxTokens: 1000,
};

async function listen(asked: ModelRequest, signal = new AbortController().signal) {
  const events: ModelEvent[] = [];
  const provider = createEchoProvider({ wordDelayMs: 0 });
  for await (const batch of provider.stream(asked, signal)) events.push(...batch);
  const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  return { events, text };
}

describe('the echo simulation', () => {
  it('PROV-19: labels itself, repeats the last user message exactly, and says what to set', async () => {
    const { text } = await listen(request);
    expect(text).toBe(echoAnswer(request.messages));
    expect(text).toMatch(/^This is a simulated answer/);
    expect(text).toContain('  two\n\nlines é 漢字 ');
    expect(text).toContain('OPENAI_API_KEY');
  });

  it('PROV-19: counts words as tokens and honours the bound', async () => {
    const { events } = await listen({ ...request, maxTokens: 3 });
    expect(events.slice(0, 3).map(({ type }) => type)).toEqual(['text', 'text', 'text']);
    expect(events.slice(3)).toEqual([
      { type: 'usage', inputTokens: 5, outputTokens: 3 },
      { type: 'finish', reason: 'length' },
    ]);
    expect((await listen(request)).events.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
  });

  it('PROV-19: pauses between words by its clock, and ends quietly when the signal aborts', async () => {
    const stop = new AbortController();
    const pauses: number[] = [];
    const clock = {
      sleep: async (ms: number) => {
        if (pauses.push(ms) === 2) stop.abort();
      },
    };
    const stream = createEchoProvider({ clock, wordDelayMs: 7 }).stream(request, stop.signal);
    let batches = 0;
    for await (const batch of stream) batches += batch.length;
    expect(pauses).toEqual([7, 7]);
    expect(batches).toBe(2);
  });
});
