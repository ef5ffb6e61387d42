/** PDFs for tests: good ones, and some that mean harm. */

import { deflateSync } from 'node:zlib';
import { PDFDocument, StandardFonts } from 'pdf-lib';

/** A page: its lines from the top, with a size where it is not 11; `''` leaves a gap. */
export type PdfPage = readonly (string | { readonly text: string; readonly size: number })[];

/** Makes a PDF of such pages. */
export async function makePdf(pages: readonly PdfPage[], title?: string): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  if (title !== undefined) pdf.setTitle(title);
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  for (const lines of pages) {
    const page = pdf.addPage([400, 600]);
    let y = 560;
    for (const line of lines) {
      const { text, size } = typeof line === 'string' ? { text: line, size: 11 } : line;
      y -= size * 1.3;
      page.drawText(text, { x: 40, y, size, font });
    }
  }
  return pdf.save();
}

/** A PDF of these objects, numbered from 1; the first is its catalogue. */
export function rawPdf(objects: readonly (string | Uint8Array)[], trailer = ''): Uint8Array {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')];
  const offsets: number[] = [];
  let at = 9;
  const push = (part: Buffer) => {
    parts.push(part);
    at += part.length;
  };
  objects.forEach((object, index) => {
    offsets.push(at);
    push(
      Buffer.concat([
        Buffer.from(`${index + 1} 0 obj\n`),
        Buffer.from(object),
        Buffer.from('\nendobj\n'),
      ]),
    );
  });
  const xref = at;
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  push(Buffer.from(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`));
  push(
    Buffer.from(
      `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer}>>\nstartxref\n${xref}\n%%EOF`,
    ),
  );
  return Buffer.concat(parts);
}

/** A stream object, deflated as often as is asked for. */
export function deflated(content: Uint8Array, times = 1): Uint8Array {
  let bytes: Uint8Array = content;
  for (let round = 0; round < times; round += 1) bytes = deflateSync(bytes, { level: 9 });
  const filter = `[${' /FlateDecode'.repeat(times)} ]`;
  return Buffer.concat([
    Buffer.from(`<< /Length ${bytes.length} /Filter ${filter} >>\nstream\n`),
    bytes,
    Buffer.from('\nendstream'),
  ]);
}

/** A PDF of one page with this content. */
export function onePage(content: string | Uint8Array, count = 1): Uint8Array {
  return rawPdf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [3 0 R] /Count ${count} >>`,
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 600] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    content,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]);
}
