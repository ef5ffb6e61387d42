/** Counts words, in any script. */

/** The locale changes nothing of where words are: text without spaces is parted by dictionary. */
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

/** Words of a text as Unicode has them (UAX #29), so that Chinese, Japanese and Thai count too. */
export function countWords(text: string): number {
  let words = 0;
  for (const { isWordLike } of segmenter.segment(text)) if (isWordLike) words += 1;
  return words;
}

/** The pieces of a text, words and what stands between them. */
export function wordSegments(text: string): Intl.Segments {
  return segmenter.segment(text);
}
