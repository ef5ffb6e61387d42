/** BMP: Microsoft's BITMAPFILEHEADER, BITMAPCOREHEADER and BITMAPINFOHEADER. */

import { type ByteCursor, damaged, truncated } from './byte-cursor.ts';
import type { ImageTally } from './image-facts.ts';

const CORE_HEADER_BYTES = 12;
const INFO_HEADER_BYTES = 40;

/** BI_RGB, BI_BITFIELDS and BI_ALPHABITFIELDS: the pixels are as many bytes as they seem. */
const UNCOMPRESSED: ReadonlySet<number> = new Set([0, 3, 6]);

/** Reads the head. Errors: `validation_failed`; those of the tally. */
export async function walkBmp(cursor: ByteCursor, tally: ImageTally): Promise<void> {
  cursor.seek(10);
  const pixelsAt = await cursor.u32(true);
  const headerBytes = await cursor.u32(true);
  const isCore = headerBytes === CORE_HEADER_BYTES;
  if (!isCore && headerBytes < INFO_HEADER_BYTES) throw damaged();
  const width = isCore ? await cursor.u16(true) : (await cursor.u32(true)) | 0;
  // Upside down where it is negative.
  const height = Math.abs(isCore ? await cursor.u16(true) : (await cursor.u32(true)) | 0);
  cursor.skip(2);
  const bits = await cursor.u16(true);
  const compression = isCore ? 0 : await cursor.u32(true);
  tally.picture(width, height);
  if (!UNCOMPRESSED.has(compression)) {
    if (pixelsAt >= cursor.size) throw truncated();
    return;
  }
  // Rows are padded to four bytes.
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (pixelsAt + rowBytes * height > cursor.size) throw truncated();
}
