/** JPEG: ITU-T T.81, annex B. */

import { type ByteCursor, damaged, MAX_PARTS, truncated } from './byte-cursor.ts';
import type { ImageTally } from './image-facts.ts';

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/** SOF0–SOF15 without DHT (C4), JPG (C8) and DAC (CC), which lie between them. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** Markers without a length: TEM, RST0–RST7, SOI; and a zero, which stands for a byte of the data. */
const isBare = (marker: number): boolean =>
  marker === 0 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);

/**
 * Walks from marker to marker to the end of the image; what follows it, such as the film of a
 * "motion photo", is not looked at. Errors: `validation_failed`; those of the tally.
 */
export async function walkJpeg(cursor: ByteCursor, tally: ImageTally): Promise<void> {
  cursor.seek(2);
  let hasScan = false;
  let hasFrame = false;
  let parts = 0;
  for (;;) {
    const found = cursor.find(0xff);
    if (found !== true && !(await found)) throw truncated();
    // Any number of 0xFF may stand before a marker.
    let marker = 0xff;
    while (marker === 0xff) {
      const read = cursor.u8();
      marker = typeof read === 'number' ? read : await read;
    }
    if (isBare(marker)) continue;
    if (marker === END_OF_IMAGE) break;
    parts += 1;
    if (parts > MAX_PARTS) throw damaged();
    const end = cursor.at + (await cursor.u16());
    if (isFrame(marker)) {
      cursor.skip(1);
      const height = await cursor.u16();
      // Zero means that a DNL marker tells it after the scan, which no decoder of ours takes.
      tally.picture(await cursor.u16(), height);
      hasFrame = true;
    }
    hasScan ||= marker === START_OF_SCAN;
    if (end > cursor.size) throw truncated();
    cursor.seek(Math.max(end, cursor.at));
  }
  if (!hasFrame || !hasScan) throw damaged();
}
