/** HTML: what a reader of the page sees of it, as headings, paragraphs, lists, code and tables. */

import type { DocumentText, TextBlock } from '@headwater/shared/text/retrieval/document-text';
import { Parser } from 'htmlparser2';
import { createHiddenElements } from './hidden-elements.ts';
import { createTextBuilder } from './text-builder.ts';

const BLOCKS: ReadonlySet<string> = new Set([
  ...['address', 'article', 'aside', 'blockquote', 'body', 'caption', 'center', 'dd', 'details'],
  ...['dialog', 'div', 'dl', 'dt', 'fieldset', 'figcaption', 'figure', 'footer', 'form', 'header'],
  ...['hgroup', 'hr', 'html', 'legend', 'main', 'nav', 'p', 'section', 'summary', 'head'],
]);

const VOID: ReadonlySet<string> = new Set([
  ...['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source'],
  ...['track', 'wbr', 'frame', 'param'],
]);

/** Takes a page in pieces. */
export interface HtmlReader {
  write(html: string): void;
  /** Errors: `payload_too_large`. */
  end(names?: { readonly title?: string }): DocumentText;
}

/**
 * Makes a reader. Comments, programs, styles, what is never shown and what is hidden by attribute,
 * by its own style or by a plain rule of the page's are left out: text that only machines read is a
 * way to talk to the model behind the reader's back. What a foreign style sheet hides is not known.
 */
export function createHtmlReader(): HtmlReader {
  const builder = createTextBuilder();
  const hidden = createHiddenElements();
  /** Names of open elements, with whether each began a hidden part. */
  const open: { readonly name: string; readonly hides: boolean }[] = [];
  let hiding = 0;
  let facts: { kind: TextBlock['kind']; level?: number } = { kind: 'paragraph' };
  let pieces: string[] = [];
  let lists = 0;
  let tables = 0;
  let cells = 0;
  let pre = 0;
  let title: string | undefined;
  let titlePieces: string[] | undefined;
  let style: string[] | undefined;
  let language = '';

  function flush(next: typeof facts = { kind: 'paragraph' }): void {
    const text = pieces.join('');
    pieces = [];
    builder.add(facts, facts.kind === 'code' ? text : tidy(text));
    facts = next;
  }

  /** Lists, tables, headings and code are one block with all that is in them. */
  const isInBlock = (): boolean => lists + tables + pre > 0 || facts.kind === 'heading';

  function begin(name: string, attributes: Readonly<Record<string, string>>): void {
    const level = /^h([1-6])$/.exec(name)?.[1];
    if (name === 'br') pieces.push(facts.kind === 'heading' ? ' ' : '\n');
    else if (name === 'title') titlePieces = title === undefined ? [] : undefined;
    else if (name === 'html') language = attributes['lang'] ?? language;
    else if (name === 'pre') {
      if (!isInBlock()) flush({ kind: 'code' });
      pre += 1;
    } else if (name === 'ul' || name === 'ol' || name === 'menu') {
      if (!isInBlock()) flush({ kind: 'list' });
      lists += 1;
    } else if (name === 'li')
      pieces.push(`\n${'  '.repeat(Math.min(8, Math.max(0, lists - 1)))}- `);
    else if (name === 'table') {
      if (!isInBlock()) flush({ kind: 'table' });
      tables += 1;
    } else if (name === 'tr') {
      pieces.push('\n');
      cells = 0;
    } else if (name === 'td' || name === 'th') {
      pieces.push(cells > 0 ? ' | ' : '');
      cells += 1;
    } else if (level !== undefined) {
      if (isInBlock()) pieces.push('\n');
      else flush({ kind: 'heading', level: Number(level) });
    } else if (BLOCKS.has(name)) {
      if (isInBlock()) pieces.push(' ');
      else flush();
    }
  }

  function finish(name: string): void {
    if (name === 'pre') {
      pre = Math.max(0, pre - 1);
      if (pre === 0 && facts.kind === 'code') flush();
    } else if (name === 'ul' || name === 'ol' || name === 'menu') {
      lists = Math.max(0, lists - 1);
      if (lists === 0 && facts.kind === 'list') flush();
    } else if (name === 'table') {
      tables = Math.max(0, tables - 1);
      if (tables === 0 && facts.kind === 'table') flush();
    } else if (/^h[1-6]$/.test(name)) {
      if (facts.kind === 'heading') flush();
    } else if (BLOCKS.has(name)) {
      if (isInBlock()) pieces.push(' ');
      else flush();
    }
  }

  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === 'style') style = [];
      if (hiding === 0) {
        const hides = hidden.isHidden(name, attributes);
        if (!hides) begin(name, attributes);
        if (VOID.has(name)) return;
        open.push({ name, hides });
        if (hides) hiding += 1;
      } else if (!VOID.has(name)) open.push({ name, hides: false });
    },
    onclosetag(name) {
      if (VOID.has(name)) return;
      if (name === 'style' && style !== undefined) {
        hidden.learn(style.join(''));
        style = undefined;
      }
      if (name === 'title' && titlePieces !== undefined) {
        title = titlePieces.join('');
        titlePieces = undefined;
      }
      const at = open.findLastIndex((one) => one.name === name);
      if (at < 0) return;
      for (const { name: closed, hides } of open.splice(at).reverse()) {
        if (hides) hiding -= 1;
        else if (hiding === 0) finish(closed);
      }
    },
    ontext(text) {
      if (style !== undefined) style.push(text);
      else if (titlePieces !== undefined) titlePieces.push(text);
      else if (hiding === 0) pieces.push(pre > 0 ? text : text.replace(/\s+/g, ' '));
    },
  });

  return {
    write: (html) => parser.write(html),
    end(names = {}) {
      parser.end();
      flush();
      return builder.build({ title: names.title ?? title ?? '', language });
    },
  };
}

/** Reads a whole page. */
export function readHtml(html: string): DocumentText {
  const reader = createHtmlReader();
  reader.write(html);
  return reader.end();
}

/** Lines without blanks at their ends, or twice within, and without empty lines. */
function tidy(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const indent = /^ *(?=- )/.exec(line)?.[0] ?? '';
      return indent + line.trim().replace(/[^\S\n]+/g, ' ');
    })
    .filter((line) => line.trim() !== '' && line.trim() !== '-' && !/^[\s|]+$/.test(line))
    .join('\n');
}
