/** TIFF 6.0, and BigTIFF as libtiff has it. */

import { type ByteCursor, damaged, MAX_TAKE_BYTES, truncated } from './byte-cursor.ts';
import type { ImageTally } from './image-facts.ts';

const WIDTH = 256;
const HEIGHT = 257;
/** Where the pieces of the pixels lie, and how long they are: strips, then tiles. */
const PIECES: readonly (readonly [offsets: number, lengths: number])[] = [
  [273, 279],
  [324, 325],
];

/** Bytes of a value, by its type; BigTIFF adds 16–18. */
const VALUE_BYTES: Readonly<Record<number, number>> = {
  ...{ 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4 },
  ...{ 16: 8, 17: 8, 18: 8 },
};

/** Most pieces of all pages together. */
const MAX_PIECES = 1_000_000;

/** Most entries of a directory; real ones have a few dozen. */
const MAX_ENTRIES = 4096;

interface Format {
  /** Pieces that may still be looked at. */
  left: number;
  readonly little: boolean;
  /** Bytes of an offset: 4, or 8 in BigTIFF. */
  readonly offsetBytes: 4 | 8;
}

/** Values of one tag: where they lie, and how many. */
interface Values {
  readonly at: number;
  readonly count: number;
  readonly valueBytes: number;
}

/** Walks the pages. Errors: `validation_failed`; those of the tally. */
export async function walkTiff(cursor: ByteCursor, tally: ImageTally): Promise<void> {
  cursor.seek(0);
  const little = (await cursor.name(2)) === 'II';
  const isBig = (await cursor.u16(little)) === 43;
  const format: Format = { left: MAX_PIECES, little, offsetBytes: isBig ? 8 : 4 };
  // BigTIFF: the size of offsets, and two bytes of zero.
  if (isBig) cursor.skip(4);
  const seen = new Set<number>();
  let next = await readOffset(cursor, format);
  while (next !== 0) {
    // A chain that bites its tail would never end.
    if (seen.has(next)) throw damaged();
    seen.add(next);
    if (next >= cursor.size) throw truncated();
    cursor.seek(next);
    tally.frames();
    next = await readPage(cursor, format, tally);
  }
}

/** Reads one directory, and says where the next one is. */
async function readPage(cursor: ByteCursor, format: Format, tally: ImageTally): Promise<number> {
  const { little, offsetBytes } = format;
  const entries = await (offsetBytes === 8 ? cursor.u64(little) : cursor.u16(little));
  if (entries > MAX_ENTRIES) throw damaged();
  const tags = new Map<number, Values>();
  for (let index = 0; index < entries; index += 1) {
    const tag = await cursor.u16(little);
    const valueBytes = VALUE_BYTES[await cursor.u16(little)];
    const count = await readOffset(cursor, format);
    const inlineAt = cursor.at;
    const value = await readOffset(cursor, format);
    if (valueBytes === undefined) continue;
    // Values that fit stand where else their place would.
    const at = count * valueBytes <= offsetBytes ? inlineAt : value;
    if (at + count * valueBytes > cursor.size) throw truncated();
    tags.set(tag, { at, count, valueBytes });
  }
  const next = await readOffset(cursor, format);
  const [width] = await readValues(cursor, format, tags.get(WIDTH), 1);
  const [height] = await readValues(cursor, format, tags.get(HEIGHT), 1);
  tally.picture(width ?? 0, height ?? 0);
  for (const [offsets, lengths] of PIECES) {
    await checkPieces(cursor, format, tags.get(offsets), tags.get(lengths));
  }
  return next;
}

/** Errors: `validation_failed` where a piece lies beyond the end of the file. */
async function checkPieces(
  cursor: ByteCursor,
  format: Format,
  offsets: Values | undefined,
  lengths: Values | undefined,
): Promise<void> {
  if (offsets === undefined || lengths === undefined) return;
  format.left -= offsets.count;
  if (format.left < 0) throw damaged();
  const starts = await readValues(cursor, format, offsets);
  const sizes = await readValues(cursor, format, lengths);
  if (starts.some((start, index) => start + (sizes[index] ?? 0) > cursor.size)) throw truncated();
}

/** All of them, but no more than can be read at once. */
async function readValues(
  cursor: ByteCursor,
  { little }: Format,
  values: Values | undefined,
  most: number = MAX_TAKE_BYTES / 8,
): Promise<number[]> {
  if (values === undefined) return [];
  const { at, valueBytes } = values;
  const count = Math.min(values.count, most);
  cursor.seek(at);
  const bytes = await cursor.take(count * valueBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, index) => {
    const offset = index * valueBytes;
    if (valueBytes === 2) return view.getUint16(offset, little);
    if (valueBytes === 8) return Number(view.getBigUint64(offset, little));
    return valueBytes === 4 ? view.getUint32(offset, little) : view.getUint8(offset);
  });
}

async function readOffset(cursor: ByteCursor, { little, offsetBytes }: Format): Promise<number> {
  return offsetBytes === 8 ? cursor.u64(little) : cursor.u32(little);
}
