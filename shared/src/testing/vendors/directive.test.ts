import { describe, expect, it } from 'vitest';
import {
  answerTokens,
  directiveAt,
  FIXED_ANSWER,
  readDirective,
  scriptedAnswer,
  scriptedPrompt,
  scriptedSent,
  scriptedUsage,
} from './directive.ts';

describe('vendor directives', () => {
  it('are read back as they were written, also with brackets in the text', () => {
    const directive = { text: 'a ]] b {"c":[1]]}', delayMs: 3 };
    expect(readDirective(scriptedPrompt(directive))).toEqual(directive);
    expect(scriptedAnswer(scriptedPrompt(directive))).toBe(directive.text);
  });

  it('say so when they are no JSON', () => {
    expect(() => readDirective('[[script {oops}]] x')).toThrow(SyntaxError);
  });

  it('leave the fixed answer of 12 tokens where there is none', () => {
    expect(answerTokens({}).length).toBe(12);
    expect(scriptedAnswer('hi there')).toBe(FIXED_ANSWER);
    expect(scriptedUsage('hi there')).toEqual({ inputTokens: 2, outputTokens: 12 });
  });

  it.each([' lead', 'trail \n', '\n\n', '', 'a  b\n c'])(
    'split %j without losing a character',
    (text) => {
      expect(answerTokens({ text }).join('')).toBe(text);
    },
  );

  it('make the same text from the same seed', () => {
    const text = scriptedAnswer(scriptedPrompt({ tokens: 50, seed: 3 }));
    expect(scriptedAnswer(scriptedPrompt({ tokens: 50, seed: 3 }))).toBe(text);
    expect(scriptedAnswer(scriptedPrompt({ tokens: 50, seed: 4 }))).not.toBe(text);
    expect(answerTokens({ tokens: 50 }).length).toBe(50);
  });

  it('send only the tokens before a fault', () => {
    expect(scriptedSent(scriptedPrompt({ text: 'a b c d', fault: 'cut' }))).toBe('a b');
    expect(scriptedSent(scriptedPrompt({ text: 'a b c d', fault: 'no-finish' }))).toBe('a b c d');
    expect(scriptedSent(scriptedPrompt({ text: 'a b c d', fault: 'refuse' }))).toBe('');
  });

  it('fail as often as they say', () => {
    const directive = { text: 'a', status: 500, failTimes: 2 };
    expect(directiveAt(directive, 2).status).toBe(500);
    expect(directiveAt(directive, 3)).toEqual({ text: 'a' });
    expect(directiveAt({ fault: 'cut' }, 9)).toEqual({ fault: 'cut' });
  });
});
