/** The best of many scores. */

/** A passage of a segment and its score. */
export interface ScoredPassage {
  readonly segment: number;
  readonly passage: number;
  readonly score: number;
}

/** Keeps the best `limit` of all that it is shown. */
export interface BestPassages {
  /** Looks at the passages from `from` up to `to`; a score of 0 is no find. */
  see(segment: number, scores: Float64Array, from: number, to: number): void;
  /** Best first; what scores the same, in the order in which it was seen. */
  list(): ScoredPassage[];
}

/** A heap with the worst on top. */
export function createBestPassages(limit: number): BestPassages {
  const heap: (ScoredPassage & { readonly seen: number })[] = [];
  let floor = 0;
  let seen = 0;

  const isWorse = (one: number, other: number) => {
    const [a, b] = [heap[one], heap[other]];
    if (a === undefined || b === undefined) return a !== undefined;
    return a.score < b.score || (a.score === b.score && a.seen > b.seen);
  };
  const swap = (one: number, other: number) => {
    const [a, b] = [heap[one], heap[other]];
    if (a === undefined || b === undefined) return;
    heap[one] = b;
    heap[other] = a;
  };
  const rise = (from: number) => {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isWorse(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  };
  const sink = () => {
    for (let at = 0; ; ) {
      let worst = at;
      for (const child of [at * 2 + 1, at * 2 + 2]) {
        if (child < heap.length && isWorse(child, worst)) worst = child;
      }
      if (worst === at) return;
      swap(at, worst);
      at = worst;
    }
  };

  return {
    see(segment, scores, from, to) {
      for (let passage = from; passage < to; passage += 1) {
        const score = scores[passage] as number;
        if (score <= floor) continue;
        seen += 1;
        if (heap.length < limit) {
          heap.push({ segment, passage, score, seen });
          rise(heap.length - 1);
        } else {
          heap[0] = { segment, passage, score, seen };
          sink();
        }
        if (heap.length === limit) floor = heap[0]?.score ?? 0;
      }
    },
    list: () =>
      heap
        .toSorted((one, other) => other.score - one.score || one.seen - other.seen)
        .map(({ segment, passage, score }) => ({ segment, passage, score })),
  };
}
