/** Judges a file before anything decodes it. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { InputLimits } from '@headwater/shared/protocol/task-settings';
import { walkBmp } from './bmp.ts';
import { type ByteCursor, type ByteSource, createByteCursor } from './byte-cursor.ts';
import { checkDocument } from './document.ts';
import { walkGif } from './gif.ts';
import { createImageTally, type ImageFacts, type ImageTally } from './image-facts.ts';
import { walkIsoImage } from './iso-boxes.ts';
import { walkJpeg } from './jpeg.ts';
import { walkPng } from './png.ts';
import { type MediaKind, SNIFF_BYTES, sniffMedia } from './sniff.ts';
import { checkSound } from './sound.ts';
import { walkTiff } from './tiff.ts';
import { walkWebp } from './webp.ts';

/** What a file is. Pixels and frames are those of images. */
export type MediaFacts = { readonly mediaType: string } & Partial<ImageFacts>;

const WALKS: Readonly<Record<string, (cursor: ByteCursor, tally: ImageTally) => Promise<void>>> = {
  'image/png': walkPng,
  'image/jpeg': walkJpeg,
  'image/gif': walkGif,
  'image/webp': walkWebp,
  'image/bmp': walkBmp,
  'image/tiff': walkTiff,
  'image/avif': walkIsoImage,
  'image/heic': walkIsoImage,
};

/** What is taken, for a refusal. */
const TAKEN: Readonly<Record<MediaKind, string>> = {
  image: 'no image: PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF and HEIC are taken.',
  audio: 'no sound: WAV, MP3, OGG, WebM, FLAC and M4A are taken.',
  document: 'no document: PDF and text in UTF-8 are taken.',
};

/**
 * Tells the type by the first bytes, and walks through the structure: nothing is decoded or
 * decompressed, and no more than 1 MiB is in memory.
 *
 * Errors, whose words are to follow the name of a field: `unsupported_media_type` for another kind;
 * `payload_too_large` for too many pixels or frames; `validation_failed` for a file that is empty,
 * truncated or damaged.
 */
export async function inspectMedia(
  source: ByteSource,
  kind: MediaKind,
  limits: Pick<InputLimits, 'maxPixels' | 'maxFrames'>,
): Promise<MediaFacts> {
  if (source.size === 0) throw new GatewayError('validation_failed', 'is empty.');
  const sniffed = sniffMedia(await source.read(0, SNIFF_BYTES));
  if (sniffed?.kind !== kind) {
    throw new GatewayError('unsupported_media_type', `is ${TAKEN[kind]}`);
  }
  const { mediaType } = sniffed;
  const cursor = createByteCursor(source);
  const walk = WALKS[mediaType];
  if (walk === undefined) {
    await (kind === 'audio' ? checkSound(cursor, mediaType) : checkDocument(source, mediaType));
    return { mediaType };
  }
  const tally = createImageTally(limits);
  await walk(cursor, tally);
  return { mediaType, ...tally.facts() };
}
