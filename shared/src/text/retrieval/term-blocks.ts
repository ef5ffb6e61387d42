/**
 * The terms of a segment in order, packed into blocks of bytes: a row a block is a hundred times
 * fewer rows than a row a term. Of each term a block holds its length in UTF-8, itself, in how many
 * passages it is, the length of its postings, and these; numbers are varints.
 */

/** A term with its postings. */
export interface TermPostings {
  readonly term: string;
  /** Passages that hold it. */
  readonly df: number;
  readonly bytes: Uint8Array;
}

/** A block and the first term in it. */
export interface TermBlock {
  readonly firstTerm: string;
  readonly bytes: Uint8Array;
}

/** Takes terms in ascending order. */
export interface BlockPacker {
  add(entry: TermPostings): void;
  /** The blocks that are full, once; with `isLast` the rest as well. */
  take(isLast?: boolean): TermBlock[];
}

/**
 * Bytes after which a block is full. Below 2 KB Postgres keeps it in the row itself; a search reads
 * one block for each term and segment.
 */
const BLOCK_BYTES = 1536;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function createBlockPacker(): BlockPacker {
  let full: TermBlock[] = [];
  let firstTerm: string | undefined;
  let bytes: number[] = [];

  const put = (value: number) => {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
    bytes.push(rest);
  };
  const close = () => {
    if (firstTerm !== undefined) full.push({ firstTerm, bytes: Uint8Array.from(bytes) });
    firstTerm = undefined;
    bytes = [];
  };

  return {
    add({ term, df, bytes: postings }) {
      if (bytes.length + postings.length > BLOCK_BYTES) close();
      firstTerm ??= term;
      const name = encoder.encode(term);
      put(name.length);
      for (const byte of name) bytes.push(byte);
      put(df);
      put(postings.length);
      for (const byte of postings) bytes.push(byte);
    },
    take(isLast = false) {
      if (isLast) close();
      const taken = full;
      full = [];
      return taken;
    },
  };
}

/** The terms of a block, in order; their bytes are parts of it. */
export function* readBlock(block: Uint8Array): Generator<TermPostings> {
  const cursor = createCursor(block);
  while (cursor.at < block.length) {
    const name = cursor.part();
    const df = cursor.number();
    yield { term: decoder.decode(name), df, bytes: cursor.part() };
  }
}

/** A term of a block. */
export function findInBlock(block: Uint8Array, term: string): TermPostings | undefined {
  const wanted = encoder.encode(term);
  const cursor = createCursor(block);
  while (cursor.at < block.length) {
    const name = cursor.part();
    const df = cursor.number();
    const bytes = cursor.part();
    if (isSame(name, wanted)) return { term, df, bytes };
  }
  return undefined;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

function createCursor(block: Uint8Array) {
  const cursor = {
    at: 0,
    number() {
      let value = 0;
      for (let scale = 1; ; scale *= 0x80) {
        const byte = block[cursor.at] ?? 0;
        cursor.at += 1;
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
    },
    /** A length, and as many bytes. */
    part() {
      const length = cursor.number();
      cursor.at += length;
      return block.subarray(cursor.at - length, cursor.at);
    },
  };
  return cursor;
}

/** The only block that may hold a term, by the first terms of all; undefined where none may. */
export function blockOf(firstTerms: readonly string[], term: string): number | undefined {
  let low = 0;
  let high = firstTerms.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((firstTerms[middle] as string) <= term) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : low - 1;
}
