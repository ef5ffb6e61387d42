import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutPassages } from './chunk.ts';
import type { DocumentText, TextBlock } from './document-text.ts';
import { weigh } from './weigh.ts';

type Part = Omit<TextBlock, 'start' | 'end'> & { readonly text: string };

/** A document of these parts, two line breaks between them. */
function documentOf(parts: readonly Part[]): DocumentText {
  let text = '';
  const blocks = parts.map(({ text: own, ...block }): TextBlock => {
    const start = text.length;
    text += own;
    const end = text.length;
    text += '\n\n';
    return { ...block, start, end };
  });
  return { text, blocks };
}

const prose = (text: string): Part => ({ kind: 'paragraph', text });
const heading = (level: number, text: string): Part => ({ kind: 'heading', level, text });
const sentences = (count: number, word = 'word') =>
  Array.from({ length: count }, (_, n) => `Here ${word} number ${n} is said.`).join(' ');
const shown = (content: DocumentText, options?: Parameters<typeof cutPassages>[1]) =>
  cutPassages(content, options).map(({ start, end }) => content.text.slice(start, end));

describe('passages of a document', () => {
  it('FIND-1: begin with each section that is not small, under the headings above it', () => {
    const content = documentOf([
      heading(1, 'Guide'),
      prose(sentences(10)),
      heading(2, 'Install'),
      prose(sentences(22)),
      heading(2, 'Use'),
      prose(sentences(22)),
    ]);
    const passages = cutPassages(content);
    expect(passages.map(({ heading: path }) => path)).toEqual([
      'Guide',
      'Guide › Install',
      'Guide › Use',
    ]);
    const [first, second, third] = shown(content);
    expect(first).toMatch(/^Guide\n/);
    expect(second).toMatch(/^Install\n.*21 is said\.$/s);
    expect(third).toMatch(/^Use\n/);
  });

  it('FIND-1: join small sections', () => {
    const content = documentOf([
      heading(1, 'Names'),
      heading(2, 'A'),
      prose('Ada.'),
      heading(2, 'B'),
      prose('Bert.'),
    ]);
    expect(shown(content)).toEqual(['Names\n\nA\n\nAda.\n\nB\n\nBert.']);
    expect(cutPassages(content)[0]?.heading).toBe('Names');
  });

  it('FIND-1: leave no heading behind at their end', () => {
    const content = documentOf([
      heading(1, 'One'),
      prose(sentences(20)),
      heading(2, 'Deeper'),
      prose(sentences(20)),
    ]);
    for (const text of shown(content)) expect(text).not.toMatch(/Deeper$/);
    expect(shown(content).some((text) => /^Deeper\n/.test(text))).toBe(true);
  });

  it('FIND-2: are cut between sentences, the last of which is in both', () => {
    const [first = '', second = ''] = shown(documentOf([prose(sentences(60))]));
    expect(first).toMatch(/said\.$/);
    const last = /Here word number \d+ is said\.$/.exec(first)?.[0] ?? 'none';
    expect(second.startsWith(last)).toBe(true);
  });

  it('FIND-2: keep code whole where it fits, and cut it between lines where not', () => {
    const code = Array.from({ length: 30 }, (_, n) => `const a${n} = ${n};`).join('\n');
    const whole = documentOf([prose(sentences(20)), { kind: 'code', text: code }]);
    expect(shown(whole)).toContain(code);
    const long = documentOf([{ kind: 'code', text: `${code}\n`.repeat(10) }]);
    for (const text of shown(long)) expect(text).toMatch(/^const .*;$/s);
  });

  it('FIND-2: tell the page that they begin on', () => {
    const content = documentOf([
      { kind: 'paragraph', page: 1, text: sentences(30) },
      { kind: 'paragraph', page: 2, text: sentences(30) },
    ]);
    expect(cutPassages(content).map(({ page }) => page)).toEqual([1, 2]);
  });

  it('FIND-3: hold all that is not white, in order, and are never too long', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.lorem({ maxCount: 40, mode: 'sentences' }),
      fc.constantFrom(
        'x'.repeat(900),
        '漢字。'.repeat(120),
        '👩‍👩‍👧‍👦'.repeat(60),
        '🇩🇪🇫🇷'.repeat(80),
      ),
      fc.constantFrom(`a${'\u0301'.repeat(700)}`, 'a. 1. '.repeat(90), ' \n\t '.repeat(100)),
    );
    const part = fc.record({
      kind: fc.constantFrom('heading', 'paragraph', 'list', 'code', 'table'),
      level: fc.integer({ min: 1, max: 6 }),
      text: piece,
    }) as fc.Arbitrary<Part>;
    const sizes = fc.record({
      targetTokens: fc.integer({ min: 1, max: 80 }),
      maxTokens: fc.integer({ min: 8, max: 120 }),
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), sizes, (parts, options) => {
        const content = documentOf(parts);
        const passages = cutPassages(content, options);
        let reached = 0;
        let last = -1;
        const isRight = passages.every(({ start, end }) => {
          const own = content.text.slice(start, end);
          const isInOrder = start > last && end > start && end <= content.text.length;
          const isWhole = content.text.slice(reached, start).trim() === '';
          const isShort = weigh(content.text, start, end) <= options.maxTokens * 4;
          last = start;
          reached = Math.max(reached, end);
          return isInOrder && isWhole && isShort && own.isWellFormed();
        });
        expect(isRight).toBe(true);
        expect(content.text.slice(reached).trim()).toBe('');
      }),
      { numRuns: 300 },
    );
  });

  it('FIND-3: part no family, no flag and no letter from its mark', () => {
    for (const one of ['👩‍👩‍👧‍👦', '🇩🇪', 'é'.normalize('NFD')]) {
      const content = documentOf([prose(one.repeat(3000))]);
      const passages = cutPassages(content);
      expect(passages.length).toBeGreaterThan(3);
      for (const { start, end } of passages) {
        expect([start % one.length, end % one.length]).toEqual([0, 0]);
      }
    }
  });

  it('FIND-4: cost time in proportion to the text, whatever it is', () => {
    for (const text of ['x', 'a. 1 ', 'word ', '漢', '\u0301', 'a\n']) {
      const content = documentOf([prose(text.repeat(2_000_000 / text.length))]);
      const startedAtMs = performance.now();
      expect(cutPassages(content).length).toBeGreaterThan(500);
      // A square would take hours.
      expect(performance.now() - startedAtMs).toBeLessThan(20_000);
    }
  }, 120_000);
});
