/** What is measured of the search in documents. */

/** Who is measured. */
export type RetrievalServer = 'library' | 'MiniSearch';

/** The figures by the names that rounds give them. */
export const RETRIEVAL_FIGURES = {
  first: { name: 'right passage found first', unit: '%' },
  five: { name: 'right passage among five', unit: '%' },
  rank: { name: 'mean reciprocal rank', unit: '%' },
  index: { name: 'index 1,000 passages', unit: 's' },
  searchMedian: { name: 'search of 100,000 passages, p50', unit: 'ms' },
  searchP95: { name: 'search of 100,000 passages, p95', unit: 'ms' },
} as const;

/** One value of one figure. */
export interface RetrievalRound {
  readonly figure: keyof typeof RETRIEVAL_FIGURES;
  readonly server: RetrievalServer;
  readonly value: number;
}
