/** Which segments of a collection to join. Pure. */

/** What a plan looks at. */
export interface SegmentFacts {
  readonly id: number;
  readonly passages: number;
  readonly dead: number;
}

/**
 * Segments of about the same size that are joined, as in a log-structured merge tree (O'Neil et al.
 * 1996): each passage is written once a level, and a search reads few segments.
 */
const FAN_IN = 8;

/** Passages of a segment of the lowest level, at most. */
const SMALLEST = 64;

/** Segments this large are joined no more: their merge would take a long time for little. */
const LARGEST = 4096;

/** The ids to join, oldest first, or undefined where all is well. */
export function planMerge(segments: readonly SegmentFacts[]): readonly number[] | undefined {
  // More than a third of what a search would read is gone.
  const rotten = segments.find(({ passages, dead }) => dead * 3 > passages);
  if (rotten !== undefined) return [rotten.id];
  const levels = new Map<number, number[]>();
  for (const { id, passages, dead } of segments.toSorted((one, other) => one.id - other.id)) {
    const size = Math.max(1, passages - dead);
    if (size >= LARGEST) continue;
    const level = Math.max(0, Math.ceil(Math.log(size / SMALLEST) / Math.log(FAN_IN)));
    const same = levels.get(level) ?? [];
    levels.set(level, same);
    same.push(id);
    if (same.length === FAN_IN) return same;
  }
  return undefined;
}
