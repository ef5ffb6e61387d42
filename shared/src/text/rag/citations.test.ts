import { expect, it } from 'vitest';
import { absenceIn } from './absence.ts';
import { readCitations } from './citations.ts';

const RHINE =
  'The Rhine begins in the Alps. It flows to the North Sea! Is it long? It is 1,233 km long.';
const source = (text: string, start = 0) => ({ text, start, end: start + text.length });

it('RAG-23: a citation is the sentence of its source that fits what is said, by its offsets', () => {
  const document = `Some words before. ${RHINE} And after.`;
  const start = document.indexOf(RHINE);
  const [first, ...rest] = readCitations('The river reaches the North Sea [1].', [
    source(RHINE, start),
  ]);
  expect(rest).toEqual([]);
  expect(first).toMatchObject({ marker: '[1]', source: 1, quote: 'It flows to the North Sea!' });
  expect(document.slice(first?.start, first?.end)).toBe(first?.quote);
});

it('RAG-23: sources stand in the order in which they are first cited, each once', () => {
  const sources = [source('One is a number.'), source('Two is a pair.'), source('Three is odd.')];
  const cited = readCitations('A pair [2, 3]. A number. [1] Odd [3][9][0].', sources);
  expect(cited.map((citation) => citation.source)).toEqual([2, 3, 1]);
  expect(readCitations('Nothing is cited here, not even 1 or (2).', sources)).toEqual([]);
});

it('RAG-23: where no sentence fits, the beginning of the source stands for it, cut to a whole character', () => {
  const [citation] = readCitations('Etwas anderes [1].', [
    source(`${'ab '.repeat(199)}ab\u{1f600}${'x'.repeat(50)}`),
  ]);
  expect(citation?.quote.length).toBeLessThanOrEqual(600);
  expect(citation?.quote.isWellFormed()).toBe(true);
  expect(citation?.start).toBe(0);
});

it('RAG-24: "not in the documents" is said in the language that was asked for, else in English', () => {
  expect(absenceIn('de')).toContain('Dokumente');
  expect(absenceIn('pt-BR')).toContain('documentos');
  expect(absenceIn('German')).toBe(absenceIn('de'));
  for (const other of [undefined, 'tlh', '', '__proto__'])
    expect(absenceIn(other)).toBe(absenceIn('en'));
});
