/**
 * The passages that one term is in, as bytes. For each, in order: the distance from the one before,
 * doubled, plus one where the term comes more than once; then, if so, how often. Both as varints of
 * seven bits a byte, the low ones first.
 */

/** Grows as it is written. */
export interface PostingWriter {
  /** `passage` MUST be greater than the one before. */
  add(passage: number, count: number): void;
  /** Passages so far. */
  readonly df: number;
  /** A copy. */
  bytes(): Uint8Array;
}

const FIRST_BYTES = 16;

/** Most bytes that one passage takes: two varints of 32 bits. */
const ROOM = 10;

export function createPostingWriter(): PostingWriter {
  let buffer = new Uint8Array(FIRST_BYTES);
  let length = 0;
  let last = -1;
  let df = 0;

  function put(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      buffer[length] = (rest % 0x80) | 0x80;
      length += 1;
      rest = Math.floor(rest / 0x80);
    }
    buffer[length] = rest;
    length += 1;
  }

  return {
    get df() {
      return df;
    },
    add(passage, count) {
      if (length + ROOM > buffer.length) {
        const larger = new Uint8Array(buffer.length * 2);
        larger.set(buffer);
        buffer = larger;
      }
      put((passage - last) * 2 + (count > 1 ? 1 : 0));
      if (count > 1) put(count);
      last = passage;
      df += 1;
    },
    bytes: () => buffer.slice(0, length),
  };
}

/** Calls `see` for each passage, in order. */
export function readPostings(
  bytes: Uint8Array,
  see: (passage: number, count: number) => void,
): void {
  let passage = -1;
  let at = 0;
  const take = () => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  };
  while (at < bytes.length) {
    const head = take();
    passage += Math.floor(head / 2);
    see(passage, head % 2 === 1 ? take() : 1);
  }
}

/** One source of a merge. */
export interface PostingSource {
  readonly bytes: Uint8Array;
  /** The new number of each passage, growing with the old one; −1 of those that are gone. */
  readonly renumbered: Int32Array;
}

/** Sources in the order of their new numbers → one list; undefined where nothing is left. */
export function mergePostings(
  sources: readonly PostingSource[],
): { readonly df: number; readonly bytes: Uint8Array } | undefined {
  const writer = createPostingWriter();
  for (const { bytes, renumbered } of sources) {
    readPostings(bytes, (passage, count) => {
      const now = renumbered[passage] ?? -1;
      if (now >= 0) writer.add(now, count);
    });
  }
  return writer.df === 0 ? undefined : { df: writer.df, bytes: writer.bytes() };
}
