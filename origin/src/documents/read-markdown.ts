/** Markdown (CommonMark with GFM tables), by way of the HTML that it stands for. */

import type { DocumentText } from '@headwater/shared/text/retrieval/document-text';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTable } from 'micromark-extension-gfm-table';
import { htmlOf } from './markdown-html.ts';
import { createHtmlReader } from './read-html.ts';

/**
 * Characters from which a text is cut before its next heading or paragraph: a tree takes a hundred
 * times the memory of its text. A reference across such a cut stays as it is written.
 */
const PIECE_CHARS = 64 * 1024;

/** Reads it. Errors: `payload_too_large`. */
export function readMarkdown(raw: string): DocumentText {
  const { text, title } = withoutFrontMatter(raw.replace(/\r\n?/g, '\n'));
  const reader = createHtmlReader();
  for (const piece of cutMarkdown(text, PIECE_CHARS)) {
    const tree = fromMarkdown(piece, {
      extensions: [gfmTable()],
      mdastExtensions: [gfmTableFromMarkdown()],
    });
    reader.write(tree.children.map((child) => htmlOf(child)).join(''));
  }
  return reader.end(title === undefined ? {} : { title });
}

/** Pieces of at least so many characters that begin outside of fenced code, after a blank line. */
export function* cutMarkdown(text: string, pieceChars: number): Generator<string> {
  let start = 0;
  let at = 0;
  let fence: string | undefined;
  let isAfterBlank = false;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const next = end < 0 ? text.length : end + 1;
    const line = text.slice(at, next);
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (at - start >= pieceChars && fence === undefined && isAfterBlank && /^\S/.test(line)) {
      yield text.slice(start, at);
      start = at;
    }
    if (mark !== undefined) {
      if (fence === undefined) fence = mark;
      else if (mark.startsWith(fence) && line.trim() === mark) fence = undefined;
    }
    isAfterBlank = line.trim() === '';
    at = next;
  }
  if (start < text.length) yield text.slice(start);
}

/** Without the YAML that some tools put first, of which the title counts alone. */
function withoutFrontMatter(text: string): { readonly text: string; readonly title?: string } {
  const [whole, yaml] =
    /^\ufeff?---[^\S\n]*\n([\s\S]{0,20000}?)\n(?:---|\.\.\.)[^\S\n]*(?:\n|$)/.exec(text) ?? [];
  if (whole === undefined || yaml === undefined) return { text };
  const title = /^title:[^\S\n]*(["']?)(.{1,300}?)\1[^\S\n]*$/m.exec(yaml)?.[2];
  const rest = text.slice(whole.length);
  return title === undefined ? { text: rest } : { text: rest, title };
}
