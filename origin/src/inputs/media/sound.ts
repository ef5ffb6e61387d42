/** The structure of sound files, as far as it tells that one is complete. */

import { type ByteCursor, truncated } from './byte-cursor.ts';
import { walkIsoSound } from './iso-boxes.ts';

/** Sizes that a writer leaves which did not know the end, as when it wrote to a pipe. */
const UNKNOWN_SIZES: ReadonlySet<number> = new Set([0, 0x7fffffff, 0xffffffff]);

/**
 * WAV and M4A say how long they are; the other formats go on until they end. Errors:
 * `validation_failed` where the file is shorter than it says.
 */
export async function checkSound(cursor: ByteCursor, mediaType: string): Promise<void> {
  if (mediaType === 'audio/mp4') return walkIsoSound(cursor);
  if (mediaType !== 'audio/wav') return;
  cursor.seek(4);
  const size = await cursor.u32(true);
  if (UNKNOWN_SIZES.has(size) || size > 0xffffff00) return;
  if (8 + size > cursor.size) throw truncated();
}
