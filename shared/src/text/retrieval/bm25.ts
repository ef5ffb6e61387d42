/** Okapi BM25 over segments. */

/**
 * How fast a repeated term stops counting, and how much a long passage is held against it. The
 * middle of what works across collections: Robertson and Zaragoza, "The Probabilistic Relevance
 * Framework: BM25 and Beyond" (2009), §3.3; also Lucene's defaults.
 */
export const BM25 = { k1: 1.2, b: 0.75 } as const;

/** Weight of a term that `df` of `passages` passages hold; never negative, as in Lucene. */
export function weightOfTerm(df: number, passages: number): number {
  return Math.log(1 + (passages - df + 0.5) / (df + 0.5));
}

/** What each passage's length does to its counts, from a segment's `lengths`. */
export function normsOf(lengths: Uint8Array, meanLength: number): Float64Array {
  const norms = new Float64Array(lengths.length / 2);
  const { k1, b } = BM25;
  for (let passage = 0; passage < norms.length; passage += 1) {
    const length = (lengths[passage * 2] ?? 0) | ((lengths[passage * 2 + 1] ?? 0) << 8);
    norms[passage] = k1 * (1 - b + (b * length) / meanLength);
  }
  return norms;
}

/** Adds to each passage's score what one term of the query gives it. `bytes` are its postings. */
export function addScores(
  scores: Float64Array,
  norms: Float64Array,
  bytes: Uint8Array,
  weight: number,
): void {
  const scale = weight * (BM25.k1 + 1);
  const { length } = bytes;
  let passage = -1;
  // As `readPostings` does, by hand: a call a passage would be most of a search.
  for (let at = 0; at < length; ) {
    let byte = bytes[at++] as number;
    let head = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes[at++] as number;
      head |= (byte & 0x7f) << shift;
    }
    let count = 1;
    if (head & 1) {
      byte = bytes[at++] as number;
      count = byte & 0x7f;
      for (let shift = 7; byte >= 0x80; shift += 7) {
        byte = bytes[at++] as number;
        count |= (byte & 0x7f) << shift;
      }
    }
    passage += head >>> 1;
    scores[passage] =
      (scores[passage] as number) + (scale * count) / (count + (norms[passage] as number));
  }
}
