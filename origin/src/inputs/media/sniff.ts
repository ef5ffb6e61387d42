/** What a file is, by its own first bytes. */

/** First bytes that are enough to tell. */
export const SNIFF_BYTES = 1024;

/** Kinds of files that engines take. */
export type MediaKind = 'image' | 'audio' | 'document';

/** A type that is known here. */
export interface SniffedType {
  readonly mediaType: string;
  readonly kind: MediaKind;
}

const image = (subtype: string): SniffedType => ({ mediaType: `image/${subtype}`, kind: 'image' });
const audio = (subtype: string): SniffedType => ({ mediaType: `audio/${subtype}`, kind: 'audio' });

/** Major brands of ISO files: registered at mp4ra.org. */
const ISO_BRANDS: Readonly<Record<string, SniffedType>> = {
  avif: image('avif'),
  avis: image('avif'),
  heic: image('heic'),
  heix: image('heic'),
  heim: image('heic'),
  heis: image('heic'),
  hevc: image('heic'),
  hevx: image('heic'),
  mif1: image('heic'),
  msf1: image('heic'),
  'M4A ': audio('mp4'),
  'M4B ': audio('mp4'),
  mp41: audio('mp4'),
  mp42: audio('mp4'),
  isom: audio('mp4'),
  iso2: audio('mp4'),
};

/** Beginnings that say it all. */
const BEGINNINGS: readonly (readonly [beginning: string, type: SniffedType])[] = [
  ['\x89PNG\r\n\x1a\n', image('png')],
  ['\xff\xd8\xff', image('jpeg')],
  ['GIF87a', image('gif')],
  ['GIF89a', image('gif')],
  ['II*\0', image('tiff')],
  ['MM\0*', image('tiff')],
  ['II+\0', image('tiff')],
  ['MM\0+', image('tiff')],
  ['fLaC', audio('flac')],
  ['OggS', audio('ogg')],
  ['ID3', audio('mpeg')],
  ['%PDF-', { mediaType: 'application/pdf', kind: 'document' }],
];

/**
 * The type of a file that begins with these bytes, {@link SNIFF_BYTES} of them where there are so
 * many; undefined for what is not taken, SVG among it: it is a program more than a picture.
 */
export function sniffMedia(head: Uint8Array): SniffedType | undefined {
  const text = latin1(head.subarray(0, SNIFF_BYTES));
  const beginning = BEGINNINGS.find(([start]) => text.startsWith(start));
  if (beginning !== undefined) return beginning[1];
  if (text.startsWith('RIFF')) return sniffRiff(text.slice(8, 12));
  if (text.slice(4, 8) === 'ftyp') return sniffIso(text);
  // The file's size follows, and four bytes of zero in all but a few.
  if (text.startsWith('BM') && text.slice(6, 10) === '\0\0\0\0') return image('bmp');
  // EBML, whose document type stands within its head.
  if (text.startsWith('\x1a\x45\xdf\xa3')) {
    return text.slice(0, 64).includes('webm') ? audio('webm') : undefined;
  }
  if (isMp3Frame(head)) return audio('mpeg');
  return isText(head, text) ? { mediaType: 'text/plain', kind: 'document' } : undefined;
}

function sniffRiff(form: string): SniffedType | undefined {
  if (form === 'WEBP') return image('webp');
  return form === 'WAVE' ? audio('wav') : undefined;
}

/** By the first brand that is known: the major one, then the compatible ones. */
function sniffIso(text: string): SniffedType | undefined {
  const length = Math.min(text.charCodeAt(2) * 256 + text.charCodeAt(3), 256);
  const brands = [text.slice(8, 12)];
  for (let at = 16; at + 4 <= length; at += 4) brands.push(text.slice(at, at + 4));
  // `mif1` stands in AVIF as well as in HEIC.
  const avif = brands.find((brand) => brand === 'avif' || brand === 'avis');
  const known = avif ?? brands.find((brand) => Object.hasOwn(ISO_BRANDS, brand));
  return known === undefined ? undefined : ISO_BRANDS[known];
}

/** MPEG-1, 2 or 2.5, layer III, with a bit rate and a sampling rate: ISO/IEC 11172-3 §2.4.2.3. */
function isMp3Frame(head: Uint8Array): boolean {
  const [sync = 0, version = 0, rates = 0] = head;
  if (sync !== 0xff || (version & 0xe0) !== 0xe0 || (version & 0x18) === 0x08) return false;
  return (
    (version & 0x06) === 0x02 && rates >> 4 !== 0 && rates >> 4 !== 15 && (rates & 0x0c) !== 12
  );
}

/** No control characters but those of text, and no markup of a picture or a page. */
function isText(head: Uint8Array, text: string): boolean {
  return (
    head.every(isTextByte) && !/^(?:\xef\xbb\xbf)?\s*<(?:\?xml|!doctype|svg|html|!--)/i.test(text)
  );
}

/** Bytes of UTF-8, of the control characters tab to carriage return, and escape. */
function isTextByte(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f : (byte >= 0x09 && byte <= 0x0d) || byte === 0x1b;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
