import { describe, expect, it } from 'vitest';
import type { ModelProvider } from '../providers/contract.ts';
import { createScriptedModel } from '../testing/scripted-model.ts';
import { createFirstWords, withFirstWords } from './first-words.ts';

describe('times to a first word', () => {
  it('ANSWER-10: newer answers count more than older ones, and each model by itself', () => {
    const words = createFirstWords();
    expect(words.timeOf('openai', 'a')).toBeUndefined();
    words.record('openai', 'a', 800);
    words.record('anthropic', 'a', 100);
    expect(words.timeOf('openai', 'a')).toBe(800);
    words.record('openai', 'a', 0);
    expect(words.timeOf('openai', 'a')).toBe(700);
    for (let at = 0; at < 100; at += 1) words.record('openai', 'a', 200);
    expect(words.timeOf('openai', 'a')).toBeCloseTo(200, 0);
    expect(words.timeOf('anthropic', 'a')).toBe(100);
  });

  it('ANSWER-10: callers cannot fill the memory with names', () => {
    const words = createFirstWords();
    for (let at = 0; at < 2_000; at += 1) words.record('ollama', `m${at}`, 1);
    expect(words.timeOf('ollama', 'm0')).toBe(1);
    expect(words.timeOf('ollama', 'm1999')).toBeUndefined();
  });

  it('ANSWER-10: a provider tells the time of each answer’s first word, and passes all of it on', async () => {
    let nowMs = 0;
    const words = createFirstWords();
    const model = createScriptedModel();
    const provider = withFirstWords(model.provider, words, () => nowMs);
    const request = { model: 'echo', messages: [], maxTokens: 1 };
    const seen: unknown[] = [];
    const read = (async () => {
      for await (const events of provider.stream(request, new AbortController().signal)) {
        seen.push(...events);
        nowMs += 50;
        model.text('b');
        if (seen.length > 2) model.end();
      }
    })();
    nowMs = 20;
    model.say({ type: 'usage', inputTokens: 1 });
    await read;
    expect(seen[0]).toEqual({ type: 'usage', inputTokens: 1 });
    expect(seen.slice(1, 3)).toEqual([
      { type: 'text', text: 'b' },
      { type: 'text', text: 'b' },
    ]);
    expect(words.timeOf('echo', 'echo')).toBe(70);
  });

  it('ANSWER-10: a reader that leaves stops the vendor, and one that was refused tells nothing', async () => {
    const words = createFirstWords();
    let left = false;
    const talker: ModelProvider = {
      name: 'openai',
      async *stream({ model }) {
        try {
          if (model === 'refused') throw new Error('refused');
          yield [{ type: 'text', text: 'a' }];
          yield [{ type: 'text', text: 'b' }];
        } finally {
          left = true;
        }
      },
    };
    const provider = withFirstWords(talker, words, () => 0);
    const ask = (model: string) =>
      provider.stream({ model, messages: [], maxTokens: 1 }, new AbortController().signal);
    for await (const _events of ask('left')) break;
    expect(left).toBe(true);
    await expect(ask('refused')[Symbol.asyncIterator]().next()).rejects.toThrow('refused');
    expect(words.timeOf('openai', 'refused')).toBeUndefined();
  });
});
