/** GIF: the GIF89a specification. */

import { type ByteCursor, damaged, MAX_PARTS } from './byte-cursor.ts';
import type { ImageTally } from './image-facts.ts';

const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;

/** Walks the blocks to the trailer. Errors: `validation_failed`; those of the tally. */
export async function walkGif(cursor: ByteCursor, tally: ImageTally): Promise<void> {
  cursor.seek(6);
  const screenWidth = await cursor.u16(true);
  const screenHeight = await cursor.u16(true);
  await skipColours(cursor, 2);
  for (let parts = 0; ; parts += 1) {
    if (parts > MAX_PARTS) throw damaged();
    const block = await cursor.u8();
    if (block === TRAILER) break;
    if (block === EXTENSION) {
      cursor.skip(1);
    } else if (block === IMAGE) {
      const left = await cursor.u16(true);
      const top = await cursor.u16(true);
      // A frame that is larger than the screen makes the screen larger, in most decoders.
      const width = left + (await cursor.u16(true));
      const height = top + (await cursor.u16(true));
      tally.picture(Math.max(width, screenWidth), Math.max(height, screenHeight));
      tally.frames();
      await skipColours(cursor, 0);
      cursor.skip(1);
    } else {
      throw damaged();
    }
    await skipSubBlocks(cursor);
  }
}

/** Skips a byte of flags, `between` more, and the colour table that the flags announce. */
async function skipColours(cursor: ByteCursor, between: number): Promise<void> {
  const flags = await cursor.u8();
  cursor.skip(between + (flags & 0x80 ? 3 * 2 ** ((flags & 0x07) + 1) : 0));
}

async function skipSubBlocks(cursor: ByteCursor): Promise<void> {
  for (;;) {
    const read = cursor.u8();
    const length = typeof read === 'number' ? read : await read;
    if (length === 0) return;
    cursor.skip(length);
  }
}
