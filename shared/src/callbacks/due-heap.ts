/** A binary heap of things by their time. */

/** One thing and its time, in ms. */
export interface Due<T> {
  readonly atMs: number;
  readonly item: T;
}

/** The earliest first; equal times in no order. */
export interface DueHeap<T> {
  push(due: Due<T>): void;
  peek(): Due<T> | undefined;
  pop(): Due<T> | undefined;
}

/** Makes an empty heap. */
export function createDueHeap<T>(): DueHeap<T> {
  const heap: Due<T>[] = [];

  /** Time at a place; behind the end nothing is ever due. */
  const timeAt = (at: number): number => heap[at]?.atMs ?? Number.POSITIVE_INFINITY;

  function set(at: number, due: Due<T>): void {
    heap[at] = due;
  }

  function sink(due: Due<T>): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const least = timeAt(left + 1) < timeAt(left) ? left + 1 : left;
      const child = heap[least];
      if (child === undefined || child.atMs >= due.atMs) break;
      set(at, child);
      at = least;
    }
    set(at, due);
  }

  return {
    push(due) {
      let at = heap.length;
      while (at > 0) {
        const above = (at - 1) >> 1;
        const parent = heap[above];
        if (parent === undefined || parent.atMs <= due.atMs) break;
        set(at, parent);
        at = above;
      }
      set(at, due);
    },
    peek: () => heap[0],
    pop() {
      const first = heap[0];
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) sink(last);
      return first;
    },
  };
}
