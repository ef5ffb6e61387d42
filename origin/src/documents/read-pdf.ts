/** PDF: the text of its pages. Nothing is drawn, run or fetched. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { DocumentText } from '@headwater/shared/text/retrieval/document-text';
import { getDocumentProxy } from 'unpdf';
import { joinLines, joinParagraphs, type PdfParagraph, type PdfPiece } from './pdf-lines.ts';
import { createTextBuilder } from './text-builder.ts';

/** Most pages of one document. */
export const MAX_PAGES = 5_000;

/** Letters so many times the usual size are a heading's, where there are few of them. */
const HEADING_SIZE = 1.2;
const MAX_HEADING_CHARS = 200;

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;
type Page = Awaited<ReturnType<Pdf['getPage']>>;
type TextItems = Awaited<ReturnType<Page['getTextContent']>>['items'];

/**
 * Reads it. Errors: `validation_failed` for one that is damaged, encrypted, or without any text;
 * `payload_too_large` for too many pages or characters.
 */
export async function readPdf(bytes: Uint8Array): Promise<DocumentText> {
  const pdf = await openPdf(bytes);
  if (pdf.numPages > MAX_PAGES) {
    throw new GatewayError(
      'payload_too_large',
      `The PDF has more than ${MAX_PAGES.toLocaleString('en-US')} pages.`,
    );
  }
  const pages: PdfParagraph[][] = [];
  for (let number = 1; number <= pdf.numPages; number += 1) {
    pages.push(await readPage(pdf, number));
  }
  const bodySize = usualSize(pages.flat());
  const builder = createTextBuilder();
  pages.forEach((paragraphs, at) => {
    const page = at + 1;
    for (const { text, size } of paragraphs) {
      const isHeading = size >= HEADING_SIZE * bodySize && text.length <= MAX_HEADING_CHARS;
      if (isHeading) builder.add({ kind: 'heading', level: levelOf(size / bodySize), page }, text);
      else builder.add({ kind: 'paragraph', page }, text);
    }
  });
  const content = builder.build(await titleOf(pdf));
  if (content.text === '') {
    throw new GatewayError(
      'validation_failed',
      'The PDF has no text, as scanned pages have none: text recognition (OCR) has to come first.',
    );
  }
  return content;
}

async function openPdf(bytes: Uint8Array): Promise<Pdf> {
  try {
    return await getDocumentProxy(bytes, {
      disableFontFace: true,
      useSystemFonts: false,
      useWorkerFetch: false,
      disableAutoFetch: true,
      stopAtErrors: false,
      verbosity: 0,
    });
  } catch (cause) {
    if ((cause as { name?: unknown }).name === 'PasswordException') {
      throw new GatewayError(
        'validation_failed',
        'The PDF is encrypted: send it without a password.',
        { cause },
      );
    }
    throw damaged(cause);
  }
}

async function readPage(pdf: Pdf, number: number): Promise<PdfParagraph[]> {
  try {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    page.cleanup();
    return joinParagraphs(joinLines(piecesOf(items)));
  } catch (cause) {
    throw damaged(cause);
  }
}

/** Letters too small to be read are left out: they are for machines. */
function piecesOf(items: TextItems): PdfPiece[] {
  const pieces: PdfPiece[] = [];
  for (const item of items) {
    if (!('str' in item)) continue;
    const [a = 0, b = 0, , , x = 0, y = 0] = item.transform as readonly number[];
    const size = Math.hypot(a, b) || item.height;
    if (size < 1.5 || !Number.isFinite(x + y + size + item.width)) continue;
    pieces.push({ text: item.str, x, y, width: item.width, size });
  }
  return pieces;
}

/** The size in which most characters are set, in points. */
function usualSize(paragraphs: readonly PdfParagraph[]): number {
  const chars = new Map<number, number>();
  for (const { text, size } of paragraphs) {
    const rounded = Math.round(size * 2) / 2;
    chars.set(rounded, (chars.get(rounded) ?? 0) + text.length);
  }
  let usual = 12;
  let most = 0;
  for (const [size, count] of chars) {
    if (count > most) [usual, most] = [size, count];
  }
  return usual;
}

function levelOf(ratio: number): number {
  if (ratio >= 1.8) return 1;
  return ratio >= 1.4 ? 2 : 3;
}

async function titleOf(pdf: Pdf): Promise<{ readonly title?: string; readonly language?: string }> {
  try {
    const { info } = await pdf.getMetadata();
    const { Title, Language } = info as { readonly Title?: unknown; readonly Language?: unknown };
    return {
      ...(typeof Title === 'string' ? { title: Title } : {}),
      ...(typeof Language === 'string' ? { language: Language } : {}),
    };
  } catch {
    // A document whose name cannot be read goes by another one.
    return {};
  }
}

function damaged(cause: unknown): GatewayError {
  return new GatewayError('validation_failed', 'The PDF is damaged, or incomplete.', { cause });
}
