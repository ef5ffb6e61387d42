import { describe, expect, it } from 'vitest';
import { createWordCount, parseScript, parseTemplates } from './script-data.ts';

describe('createWordCount', () => {
  it('WEB-30: counts the same words wherever the text is cut, in any script', () => {
    const text = 'It’s 3.5 km – “far” from\nhere, 彼は東京に住んでいる。 Fin';
    const whole = createWordCount()(text);
    expect(whole).toBeGreaterThan(12);
    for (let at = 0; at <= text.length; at += 1) {
      const count = createWordCount();
      count(text.slice(0, at));
      expect(count(text.slice(at)), `cut at ${at}`).toBe(whole);
    }
    const count = createWordCount();
    expect([...text].map(count).at(-1)).toBe(whole);
  });
});

describe('parseTemplates', () => {
  it('WEB-30: keeps the variables that a template cannot do without', () => {
    const variables = [
      { name: 'guest', description: 'Who is asked.', required: true },
      { name: 'tone', description: 'How.', required: false, default: 'calm' },
    ];
    const interview = { id: 'interview', script_type: 'interview', name: 'Interview', variables };
    expect(parseTemplates({ templates: [{ ...interview, default_length: 900 }] })).toEqual([
      {
        id: 'interview',
        scriptType: 'interview',
        name: 'Interview',
        description: '',
        defaultLength: 900,
        required: [{ name: 'guest', description: 'Who is asked.' }],
      },
    ]);
    expect(parseTemplates('<html>')).toEqual([]);
  });
});

describe('parseScript', () => {
  it('WEB-31: reads the end, the words, the tokens and the cost of a script', () => {
    expect(
      parseScript({
        status: 'succeeded',
        word_count: 206,
        model: 'echo',
        usage: { input_tokens: 3, output_tokens: 4 },
        cost: { total_usd: 0 },
        warnings: ['Shorter.'],
        error: null,
      }),
    ).toEqual({
      phase: 'completed',
      wordCount: 206,
      facts: { status: 'succeeded', model: 'echo', inputTokens: 3, outputTokens: 4, costUsd: 0 },
      warnings: ['Shorter.'],
    });
  });

  it('WEB-31: has no phase for one that is being written, and the fault of one that failed', () => {
    expect(parseScript({ status: 'running' }).phase).toBeUndefined();
    const error = { code: 'processing_failed', message: 'Nothing came.' };
    expect(parseScript({ status: 'timed_out', error })).toMatchObject({
      phase: 'failed',
      fault: error,
    });
  });
});
