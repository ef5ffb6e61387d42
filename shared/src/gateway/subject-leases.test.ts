import { describe, expect, it } from 'vitest';
import { createLazyLeaseKeeper, createLeaseBook, type Lease } from './subject-leases.ts';

/** A keeper whose writes a test can count, and a clock that a test can wind. */
function createLazy(...loaded: Lease[]) {
  const writes: string[] = [];
  const waiting: (() => void)[] = [];
  const keeper = createLazyLeaseKeeper(
    {
      load: () => loaded,
      put: ({ streamId }) => void writes.push(`put ${streamId}`),
      drop: (_subject, streamId) => void writes.push(`drop ${streamId}`),
    },
    (flush) => waiting.push(flush),
  );
  const ring = () => {
    for (const flush of waiting.splice(0)) flush();
  };
  return { book: createLeaseBook(keeper), writes, waiting, ring };
}

describe('a lazy keeper of leases', () => {
  it('LIMIT-3: what changed is written together, once', () => {
    const { book, writes, waiting, ring } = createLazy();
    book.add('a', 's1', 10);
    book.add('a', 's2', 10);
    expect(waiting).toHaveLength(1);
    expect(writes).toEqual([]);
    ring();
    expect(writes).toEqual(['put s1', 'put s2']);
    book.drop('a', 's1');
    ring();
    expect(writes.slice(2)).toEqual(['drop s1']);
  });

  it('LIMIT-3: a stream that ends before the write costs none', () => {
    const { book, writes, ring } = createLazy();
    book.add('a', 's1', 10);
    book.drop('a', 's1');
    ring();
    expect(writes).toEqual([]);
    expect(book.count('a', 0, 1)).toBe(0);
  });

  it('LIMIT-3: what an evicted object had written is known, and its end is written', () => {
    const { book, writes, ring } = createLazy({ subject: 'a', streamId: 's1', untilMs: 10 });
    expect(book.count('a', 0, 9)).toBe(1);
    book.drop('a', 's1');
    ring();
    expect(writes).toEqual(['drop s1']);
  });
});
