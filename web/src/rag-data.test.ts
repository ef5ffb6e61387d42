import { describe, expect, it } from 'vitest';
import { citedNumbers, parseDocuments, parseSources, quoteFor } from './rag-data.ts';

describe('citedNumbers', () => {
  it.each([
    ['The Nile [1] is long [ 3 ].', [1, 3]],
    ['Both say so [1, 2; 5].', [1, 2, 5]],
    ['All of them [2–4] and [6-7].', [2, 3, 4, 6, 7]],
    ['An array a[b], a year [2026] and [see].', []],
  ])('WEB-21: finds what %j cites', (answer, numbers) => {
    expect([...citedNumbers(answer)]).toEqual(numbers);
  });
});

describe('quoteFor', () => {
  it('WEB-21: quotes the sentence that an answer is about', () => {
    const passage = 'Africa\n\nThe Nile is 6650 km long. The Congo is the deepest, at 220 m.\n';
    expect(quoteFor('It is 220 m deep, says the text on the Congo [1].', passage)).toBe(
      'The Congo is the deepest, at 220 m.',
    );
    expect(quoteFor('How long? 6650 km [1].', passage)).toBe('The Nile is 6650 km long.');
    expect(quoteFor('', '')).toBe('');
  });
});

describe('parseSources', () => {
  it('WEB-21: numbers passages as they come, with heading and page where there are any', () => {
    const sources = [
      { title: 'Rivers', heading: 'Africa', page: 3, text: 'The Nile.' },
      { title: '', heading: '', page: null, text: 'The Rhine.' },
    ];
    expect(parseSources({ sources })).toEqual([
      { number: 1, title: 'Rivers', heading: 'Africa', page: 3, text: 'The Nile.' },
      { number: 2, title: 'Untitled', heading: '', text: 'The Rhine.' },
    ]);
    expect(parseSources(undefined)).toEqual([]);
  });
});

describe('parseDocuments', () => {
  it('WEB-20: tells whether there are more than the page shows', () => {
    const document = { document_id: 'doc_1', title: 'R', media_type: 'text/plain', passages: 2 };
    expect(parseDocuments({ documents: [document], next_after: 'doc_1' })).toEqual({
      items: [{ id: 'doc_1', title: 'R', mediaType: 'text/plain', passages: 2 }],
      hasMore: true,
    });
    expect(parseDocuments({ documents: [], next_after: null }).hasMore).toBe(false);
  });
});
