/** WebP: RFC 9649; VP8's own head is in RFC 6386 §9.1. */

import { type ByteCursor, damaged, MAX_PARTS, truncated } from './byte-cursor.ts';
import type { ImageTally } from './image-facts.ts';

/** Name and length before a chunk's data. */
const CHUNK_HEAD_BYTES = 8;

/** Bytes of a frame's own head, before its chunks. */
const FRAME_HEAD_BYTES = 16;

/** Walks the chunks. Errors: `validation_failed`; those of the tally. */
export async function walkWebp(cursor: ByteCursor, tally: ImageTally): Promise<void> {
  cursor.seek(4);
  const end = CHUNK_HEAD_BYTES + (await cursor.u32(true));
  if (end > cursor.size) throw truncated();
  cursor.skip(4);
  let hasPixels = false;
  for (let parts = 0; cursor.at + CHUNK_HEAD_BYTES <= end; parts += 1) {
    if (parts > MAX_PARTS) throw damaged();
    const name = await cursor.name(4);
    const length = await cursor.u32(true);
    const start = cursor.at;
    if (start + length > end) throw truncated();
    if (name === 'VP8X') await readCanvas(cursor, tally);
    hasPixels = (await readPixels(cursor, name, tally)) || hasPixels;
    if (name === 'ANMF') {
      await readFrame(cursor, tally);
      hasPixels = true;
    }
    // Chunks of odd length are padded.
    cursor.seek(start + length + (length % 2));
  }
  if (!hasPixels) throw damaged();
}

async function u24(cursor: ByteCursor): Promise<number> {
  return (await cursor.u16(true)) + (await cursor.u8()) * 0x10000;
}

async function readCanvas(cursor: ByteCursor, tally: ImageTally): Promise<void> {
  cursor.skip(4);
  tally.picture((await u24(cursor)) + 1, (await u24(cursor)) + 1);
}

/** The frame's size, and that of the first picture in it, which may lie about it. */
async function readFrame(cursor: ByteCursor, tally: ImageTally): Promise<void> {
  const start = cursor.at;
  tally.frames();
  cursor.skip(6);
  tally.picture((await u24(cursor)) + 1, (await u24(cursor)) + 1);
  cursor.seek(start + FRAME_HEAD_BYTES);
  let name = await cursor.name(4);
  const length = await cursor.u32(true);
  if (name === 'ALPH') {
    cursor.skip(length + (length % 2));
    name = await cursor.name(4);
    cursor.skip(4);
  }
  if (!(await readPixels(cursor, name, tally))) throw damaged();
}

/** False where the chunk is no picture. */
async function readPixels(cursor: ByteCursor, name: string, tally: ImageTally): Promise<boolean> {
  if (name === 'VP8 ') {
    cursor.skip(3);
    if ((await cursor.u16()) !== 0x9d01 || (await cursor.u8()) !== 0x2a) throw damaged();
    // The two upper bits are a scale.
    tally.picture((await cursor.u16(true)) & 0x3fff, (await cursor.u16(true)) & 0x3fff);
    return true;
  }
  if (name === 'VP8L') {
    if ((await cursor.u8()) !== 0x2f) throw damaged();
    const bits = await cursor.u32(true);
    tally.picture((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
    return true;
  }
  return false;
}
