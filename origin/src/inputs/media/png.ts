/** PNG and APNG: W3C Portable Network Graphics, third edition. */

import { type ByteCursor, damaged, MAX_PARTS, truncated } from './byte-cursor.ts';
import type { ImageTally } from './image-facts.ts';

const SIGNATURE_BYTES = 8;
/** Length and name before a chunk's data, and its checksum after it. */
const CHUNK_BYTES = 12;

/** Walks the chunks to the last one. Errors: `validation_failed`; those of the tally. */
export async function walkPng(cursor: ByteCursor, tally: ImageTally): Promise<void> {
  cursor.seek(SIGNATURE_BYTES);
  let hasData = false;
  let declared = 0;
  let frames = 0;
  for (let index = 0; ; index += 1) {
    if (index > MAX_PARTS) throw damaged();
    const length = await cursor.u32();
    const name = await cursor.name(4);
    const end = cursor.at + length + 4;
    if (index === 0) {
      if (name !== 'IHDR' || length !== 13) throw damaged();
      tally.picture(await cursor.u32(), await cursor.u32());
    }
    if (name === 'acTL' && declared === 0) {
      declared = await cursor.u32();
      tally.frames(declared);
    }
    if (name === 'fcTL') {
      // More than were declared count too.
      frames += 1;
      if (frames > declared) tally.frames();
      cursor.skip(4);
      tally.picture(await cursor.u32(), await cursor.u32());
    }
    hasData ||= name === 'IDAT';
    if (end > cursor.size) throw truncated();
    if (name === 'IEND') break;
    // What follows is at least the last chunk.
    if (end + CHUNK_BYTES > cursor.size) throw truncated();
    cursor.seek(end);
  }
  if (!hasData) throw damaged();
}
