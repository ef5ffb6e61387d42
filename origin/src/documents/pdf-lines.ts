/** Pieces of text on a page, put together to lines and paragraphs. */

/** A piece as a PDF places it; lengths in points, from the lower left corner. */
export interface PdfPiece {
  readonly text: string;
  readonly x: number;
  /** Of the baseline. */
  readonly y: number;
  readonly width: number;
  readonly size: number;
}

/** A line of one column. */
export interface PdfLine {
  readonly text: string;
  readonly x: number;
  readonly right: number;
  readonly y: number;
  readonly size: number;
}

/** A gap between pieces of a line is a blank from so many sizes on, and another column from so many. */
const BLANK_GAP = 0.15;
const COLUMN_GAP = 3;

/** Baselines that differ by less than so many sizes are one. */
const SAME_LINE = 0.4;

/** Joins pieces, in the order in which they are drawn, to lines. */
export function joinLines(pieces: readonly PdfPiece[]): PdfLine[] {
  const lines: PdfLine[] = [];
  for (const piece of pieces) {
    const line = lines.at(-1);
    if (line === undefined || !continues(line, piece)) {
      if (piece.text.trim() !== '') {
        lines.push({ ...piece, right: piece.x + piece.width });
      }
      continue;
    }
    const isApart = piece.x - line.right > BLANK_GAP * line.size;
    const isSpaced = /\s$/.test(line.text) || /^\s/.test(piece.text);
    lines[lines.length - 1] = {
      ...line,
      text: line.text + (isApart && !isSpaced ? ' ' : '') + piece.text,
      right: Math.max(line.right, piece.x + piece.width),
      size: Math.max(line.size, piece.size),
    };
  }
  return inReadingOrder(lines.map((line) => ({ ...line, text: line.text.trim() })));
}

function continues(line: PdfLine, piece: PdfPiece): boolean {
  const size = Math.max(line.size, piece.size);
  const gap = piece.x - line.right;
  return Math.abs(line.y - piece.y) < SAME_LINE * size && gap > -size && gap < COLUMN_GAP * size;
}

/**
 * From top to bottom where nothing stands side by side. Columns and tables stay in the order in which
 * they are drawn, which is the order in which most programs write them.
 */
function inReadingOrder(lines: readonly PdfLine[]): PdfLine[] {
  const sorted = lines.toSorted((a, b) => b.y - a.y || a.x - b.x);
  const isSideBySide = sorted.some((line, at) => {
    const next = sorted[at + 1];
    return next !== undefined && line.y - next.y < SAME_LINE * Math.min(line.size, next.size);
  });
  return isSideBySide ? [...lines] : sorted;
}

/** A paragraph, or a heading, by the size of its letters. */
export interface PdfParagraph {
  readonly text: string;
  readonly size: number;
}

/** A distance of baselines ends a paragraph from so many times the usual one on. */
const PARAGRAPH_GAP = 1.35;

/** Joins lines to paragraphs: a wider gap, a step upwards or another size of letters ends one. */
export function joinParagraphs(lines: readonly PdfLine[]): PdfParagraph[] {
  const usual = usualStep(lines);
  const paragraphs: PdfParagraph[] = [];
  let before: PdfLine | undefined;
  for (const line of lines) {
    const open = paragraphs.at(-1);
    if (open === undefined || before === undefined || isApart(before, line, usual)) {
      paragraphs.push({ text: line.text, size: line.size });
    } else {
      paragraphs[paragraphs.length - 1] = { text: joinText(open.text, line.text), size: open.size };
    }
    before = line;
  }
  return paragraphs;
}

function isApart(before: PdfLine, line: PdfLine, usual: number): boolean {
  const step = before.y - line.y;
  const isOther = Math.abs(before.size - line.size) > 0.15 * before.size;
  return isOther || step < -0.5 * line.size || step > PARAGRAPH_GAP * usual;
}

/** The middle one of all steps down, in points. */
function usualStep(lines: readonly PdfLine[]): number {
  const steps = lines
    .slice(1)
    .map((line, at) => (lines[at]?.y ?? line.y) - line.y)
    .filter((step, at) => step > 0 && step < 4 * (lines[at]?.size ?? 12))
    .sort((a, b) => a - b);
  // The lower third: pages of short paragraphs have as many gaps as lines.
  return steps[Math.floor((steps.length - 1) / 3)] ?? 14;
}

/** A word that a line's end has cut is whole again. */
function joinText(text: string, next: string): string {
  return /\p{L}-$/u.test(text) && /^\p{Ll}/u.test(next)
    ? text.slice(0, -1) + next
    : `${text} ${next}`;
}
