import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countWords } from './count-words.ts';
import { createLengthGate, type LengthWindow } from './length-gate.ts';

/** What a gate lets through of a text in pieces. */
function pass(text: string, window: LengthWindow, pieceChars = 4, isCut = false): string {
  const gate = createLengthGate(window);
  let out = '';
  for (let at = 0; at < text.length && !gate.isFull; at += pieceChars) {
    out += gate.take(text.slice(at, at + pieceChars));
  }
  out += gate.finish(isCut);
  expect(gate.words).toBe(countWords(out));
  return out;
}

describe('words', () => {
  it.each([
    ['Hello, world', 2],
    ['夜里的风吹过河面', 6],
    ['The lamp — again — went out…', 5],
    ['สวัสดีชาวโลก', 2],
    ['', 0],
    [' \n…! ', 0],
  ])('SCRIPT-1: %j has %i', (text, words) => {
    expect(Math.abs(countWords(text) - words)).toBeLessThanOrEqual(1);
    if (words === 0) expect(countWords(text)).toBe(0);
  });
});

describe('a length gate', () => {
  const open = { least: 1e9, stopAt: 1e9, most: 1e9 };

  it('SCRIPT-1: lets all of a text through that is within its length, however it comes', () => {
    const parts = fc.array(
      fc.constantFrom('word', ' ', '\n\n', '. ', '夜里', '。', '🌊', '"', 'x-y'),
    );
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 9 }), (given, pieceChars) => {
        const text = given.join('');
        expect(pass(text, open, pieceChars)).toBe(text.trim());
      }),
    );
  });

  it('SCRIPT-1: never lets more through than the most, and ends at the end of a word', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('one ', 'two. ', 'three! ', 'four\n'), { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 10 }),
        fc.integer({ min: 1, max: 400 }),
        (words, least, spread, pieceChars) => {
          const text = words.join('');
          const window = { least, stopAt: least + spread / 2, most: least + spread };
          const out = pass(text, window, pieceChars);
          expect(countWords(out)).toBeLessThanOrEqual(window.most);
          expect(countWords(out)).toBeGreaterThanOrEqual(Math.min(least, words.length));
          expect(text.startsWith(out)).toBe(true);
          expect(text.slice(out.length)).toMatch(/^(?:[\s.!]|$)/);
        },
      ),
    );
  });

  it.each([
    ['at the first end of a sentence past its length', 'A b. C d. E f. G h.', 'A b. C d. E f.'],
    ['with the quotation mark that closes', '“A b c d e.” She left.', '“A b c d e.”'],
    ['at the end of a line', 'A b\nC d\nE f\nG h', 'A b\nC d\nE f'],
    ['where no sentence ends, at a word', 'a b c d e f g h i j', 'a b c d e f g'],
  ])('SCRIPT-1: ends %s', (_, text, out) => {
    for (const pieceChars of [1, 3, 100]) {
      expect(pass(text, { least: 4, stopAt: 5, most: 7 }, pieceChars)).toBe(out);
    }
  });

  it('SCRIPT-1: falls back to the last good end of a sentence', () => {
    const text = 'A b c d. E f g h i j k.';
    expect(pass(text, { least: 4, stopAt: 6, most: 8 })).toBe('A b c d.');
  });

  it('SCRIPT-1: Chinese ends at its own full stop, with the mark that closes', () => {
    const text = '他说：“灯灭了。”没有人说话。天亮了。';
    const words = countWords('他说：“灯灭了。”');
    const window = { least: words, stopAt: words, most: words + 20 };
    for (const pieceChars of [1, 2, 50]) {
      expect(pass(text, window, pieceChars)).toBe('他说：“灯灭了。”');
    }
  });

  it('SCRIPT-1: a word that was cut off with its answer is left out', () => {
    expect(pass('The lamp went ou', open, 4, true)).toBe('The lamp went');
    expect(pass('The lamp went ou', open, 4, false)).toBe('The lamp went ou');
  });

  it('SCRIPT-1: what no database takes is left out', () => {
    expect(pass('a\0b \ud800 c.', open, 1)).toBe('ab \ufffd c.');
  });
});
