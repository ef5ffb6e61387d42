/** Files made of boxes: ISO/IEC 14496-12; HEIC and AVIF by 23008-12, M4A. */

import { type ByteCursor, damaged, truncated } from './byte-cursor.ts';
import type { ImageTally } from './image-facts.ts';

/** Boxes that hold boxes on the way to what an image tells. */
const CONTAINERS: ReadonlySet<string> = new Set([
  ...['meta', 'iprp', 'ipco'],
  ...['moov', 'trak', 'mdia', 'minf', 'stbl'],
]);

/** Most boxes that are looked at; real files have a few hundred. */
const MAX_BOXES = 10_000;

/** Deepest nesting; the longest way above is six. */
const MAX_DEPTH = 8;

/** Ignored where only the structure counts. */
const NO_TALLY: ImageTally = {
  picture: () => undefined,
  frames: () => undefined,
  facts: () => ({ width: 0, height: 0, frames: 1 }),
};

/** Walks an image. Errors: `validation_failed`; those of the tally. */
export async function walkIsoImage(cursor: ByteCursor, tally: ImageTally): Promise<void> {
  cursor.seek(0);
  await walkBoxes(cursor, { end: cursor.size, depth: 0 }, tally, { boxes: 0 });
}

/** Errors: `validation_failed` where a box lies beyond the end of the file. */
export async function walkIsoSound(cursor: ByteCursor): Promise<void> {
  cursor.seek(0);
  await walkBoxes(cursor, { end: cursor.size, depth: MAX_DEPTH }, NO_TALLY, { boxes: 0 });
}

async function walkBoxes(
  cursor: ByteCursor,
  { end, depth }: { end: number; depth: number },
  tally: ImageTally,
  seen: { boxes: number },
): Promise<void> {
  while (cursor.at + 8 <= end) {
    seen.boxes += 1;
    if (seen.boxes > MAX_BOXES) throw damaged();
    const start = cursor.at;
    const short = await cursor.u32();
    const name = await cursor.name(4);
    // 1: the size follows; 0: to the end.
    const size = short === 1 ? await cursor.u64() : short === 0 ? end - start : short;
    if (start + size < cursor.at) throw damaged();
    if (start + size > end) throw end === cursor.size ? truncated() : damaged();
    if (depth < MAX_DEPTH) {
      await readBox(cursor, name, tally);
      if (CONTAINERS.has(name)) {
        // A full box: version and flags come first.
        if (name === 'meta') cursor.skip(4);
        await walkBoxes(cursor, { end: start + size, depth: depth + 1 }, tally, seen);
      }
    }
    cursor.seek(start + size);
  }
}

async function readBox(cursor: ByteCursor, name: string, tally: ImageTally): Promise<void> {
  if (name === 'ispe') {
    cursor.skip(4);
    tally.picture(await cursor.u32(), await cursor.u32());
  } else if (name === 'stsz') {
    cursor.skip(8);
    tally.frames(await cursor.u32());
  } else if (name === 'stsd') {
    // The first entry of a track of pictures: its size stands 24 bytes after its own head.
    cursor.skip(12);
    const entry = await cursor.name(4);
    if (entry === 'av01' || entry === 'hvc1' || entry === 'hev1') {
      cursor.skip(24);
      tally.picture(await cursor.u16(), await cursor.u16());
    }
  }
}
