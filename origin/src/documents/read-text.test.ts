import type { DocumentText } from '@headwater/shared/text/retrieval/document-text';
import { describe, expect, it } from 'vitest';
import { decodeText } from './decode-text.ts';
import { tellFormat } from './document-format.ts';
import { readHtml } from './read-html.ts';
import { cutMarkdown, readMarkdown } from './read-markdown.ts';
import { readPlain } from './read-plain.ts';
import { createTextBuilder } from './text-builder.ts';

const partsOf = ({ text, blocks }: DocumentText) =>
  blocks.map(({ kind, level, start, end }) => [
    level === undefined ? kind : `${kind} ${level}`,
    text.slice(start, end),
  ]);
const bytes = (text: string) => new TextEncoder().encode(text);

describe('plain text', () => {
  it('RAG-1: paragraphs stand between blank lines, and the offsets are those of the text', () => {
    const read = readPlain('one\r\nline\r\n\r\n\t\r\ntwo\n \nthree');
    expect(read.text).toBe('one\nline\n\ntwo\n\nthree');
    expect(partsOf(read)).toEqual([
      ['paragraph', 'one\nline'],
      ['paragraph', 'two'],
      ['paragraph', 'three'],
    ]);
  });

  it('RAG-2: characters that nobody sees are left out', () => {
    const tags = [...'ignore'].map((letter) =>
      String.fromCodePoint(0xe0000 + letter.charCodeAt(0)),
    );
    const read = readPlain(`a\u200bb\u00ad\u202ec\0d${tags.join('')}\ufeffe \u0646\u200c\u0645`);
    expect(read.text).toBe('abcde \u0646\u200c\u0645');
  });

  it('RAG-3: long stretches of white space take no longer than words', () => {
    const read = readPlain(`a${' '.repeat(300_000)}b${'\n'.repeat(300_000)}c`);
    expect(read.blocks).toHaveLength(2);
  });

  it('RAG-3: text beyond the bound is refused', () => {
    const builder = createTextBuilder(10);
    builder.add({ kind: 'paragraph' }, '12345');
    expect(() => builder.add({ kind: 'paragraph' }, '6789')).toThrow(
      expect.objectContaining({ code: 'payload_too_large' }),
    );
  });
});

describe('Markdown', () => {
  it('RAG-1: gives headings, paragraphs, lists, code and tables, and the title of the front matter', () => {
    const read = readMarkdown(
      '---\ntitle: "Front"\n---\n# A *b*\n\nc `d` [e](http://x)\n\n- f\n  - g\n\n```js\nh\n\n  i\n```\n\n| j | k |\n|---|---|\n| l | m |\n',
    );
    expect(read.title).toBe('Front');
    expect(partsOf(read)).toEqual([
      ['heading 1', 'A b'],
      ['paragraph', 'c d e'],
      ['list', '- f\n  - g'],
      ['code', 'h\n\n  i'],
      ['table', 'j | k\nl | m'],
    ]);
  });

  it('RAG-2: what its HTML hides is left out, also around Markdown', () => {
    const read = readMarkdown(
      'seen <span style="display: none">no</span> <!-- no -->\n\n<div hidden>\n\nno **no**\n\n</div>\n\n![words](http://evil/?q=1)\n',
    );
    expect(read.text).toBe('seen\n\nwords');
  });

  it('RAG-1: a long one is cut before a paragraph, never in its code', () => {
    const text = '# a\n\n```\nb\n\nc\n```\n\nd\n\ne\n';
    expect([...cutMarkdown(text, 8)]).toEqual(['# a\n\n```\nb\n\nc\n```\n\n', 'd\n\ne\n']);
    const words = 'A sentence that is as long as most of them are. '.repeat(5);
    const long = Array.from({ length: 400 }, (_, at) => `## h${at}\n\n${words}\n\n`).join('');
    expect(long.length).toBeGreaterThan(64 * 1024);
    expect(partsOf(readMarkdown(long))).toHaveLength(800);
  });
});

describe('HTML', () => {
  it('RAG-1: gives what a reader of the page sees, with its title and language', () => {
    const read = readHtml(
      '<!doctype html><html lang="de"><head><title>T &amp; x</title></head><body><h2>Big</h2><p>one<br>two <b>bold</b> x<div>div</div><ul><li>A<li>B<ul><li>C</ul></ul><table><tr><th>k<th>v<tr><td>1<td>2</table><pre>a\n  b\n</pre>tail',
    );
    expect([read.title, read.language]).toEqual(['T & x', 'de']);
    expect(partsOf(read)).toEqual([
      ['heading 2', 'Big'],
      ['paragraph', 'one\ntwo bold x'],
      ['paragraph', 'div'],
      ['list', '- A\n- B\n  - C'],
      ['table', 'k | v\n1 | 2'],
      ['code', 'a\n  b'],
      ['paragraph', 'tail'],
    ]);
  });

  it.each([
    '<script>no</script>',
    '<style>no{}</style>',
    '<template>no</template>',
    '<noscript>no</noscript>',
    '<svg><title>no</title><text>no</text></svg>',
    '<textarea>no</textarea>',
    '<!-- no -->',
    '<p hidden>no</p>',
    '<p aria-hidden="true">no</p>',
    '<p style="DISPLAY : none">no</p>',
    '<p style="color: red; visibility:hidden">no</p>',
    '<p style="opacity:0">no</p>',
    '<p style="opacity: 0.0; x: y">no</p>',
    '<p style="font-size:0px">no</p>',
    '<p style="font-size: 1px">no</p>',
    '<p style="position:absolute;left:-9999px">no</p>',
    '<p style="clip: rect(0 0 0 0)">no</p>',
    '<p style="height:0;overflow:hidden">no</p>',
    '<p style="color: transparent">no</p>',
    '<style>.x,b { display:none }</style><p class="a x">no</p><b>no</b>',
    '<style>#y{visibility:hidden}</style><p id="y">no <i>no</i></p>',
    '<div hidden><p>no</p><script>no</script><p>no</p></div>',
  ])('RAG-2: %s is not read', (hidden) => {
    expect(readHtml(`<p>before</p>${hidden}<p>after</p>`).text).toBe('before\n\nafter');
  });

  it.each(['opacity:0.9', 'font-size:10px', 'height:100px', 'left:-5px', 'color:red', 'width:10%'])(
    'RAG-2: a style of %s hides nothing',
    (style) => {
      expect(readHtml(`<p style="${style}">seen</p>`).text).toBe('seen');
    },
  );
});

describe('encodings', () => {
  it.each([
    ['UTF-8', bytes('äß'), '', false, 'äß'],
    ['UTF-8 with a mark', Uint8Array.of(0xef, 0xbb, 0xbf, 0xc3, 0xa4), '', false, 'ä'],
    ['UTF-16LE by its mark', Uint8Array.of(0xff, 0xfe, 0xe4, 0), '', false, 'ä'],
    ['UTF-16BE by its mark', Uint8Array.of(0xfe, 0xff, 0, 0xe4), '', false, 'ä'],
    ['Windows-1252 where it is no UTF-8', Uint8Array.of(0x80, 0xe4), '', false, '€ä'],
    ['the declared one', Uint8Array.of(0xc0), 'text/plain; charset=koi8-r', false, 'ю'],
    ['an unknown one', bytes('ä'), 'text/plain; charset=klingon', false, 'ä'],
    [
      'the page’s own',
      Buffer.concat([bytes('<meta charset="koi8-r">'), Uint8Array.of(0xc0)]),
      '',
      true,
      '<meta charset="koi8-r">ю',
    ],
  ])('RAG-1: reads %s', (_name, encoded, mediaType, isHtml, text) => {
    expect(decodeText(encoded, mediaType, isHtml)).toBe(text);
  });

  it('RAG-3: bytes that are no text are refused', () => {
    const noise = Uint8Array.from({ length: 1000 }, (_, at) => (at * 7) % 32);
    expect(() => decodeText(noise, '', false)).toThrow(
      expect.objectContaining({ code: 'unsupported_media_type' }),
    );
  });
});

describe('formats', () => {
  it.each([
    ['%PDF-1.4', {}, 'pdf'],
    ['%PDF-1.4', { mediaType: 'text/plain' }, 'pdf'],
    ['junk\n%PDF-1.4', { mediaType: 'application/pdf' }, 'pdf'],
    ['hello', {}, 'text'],
    ['hello', { mediaType: 'text/markdown; charset=utf-8' }, 'markdown'],
    ['hello', { fileName: 'A.MD', mediaType: 'application/octet-stream' }, 'markdown'],
    ['hello', { fileName: 'a.html' }, 'html'],
    ['hello', { fileName: 'a.md', mediaType: 'text/plain' }, 'markdown'],
    ['hello', { fileName: 'a.pdf', mediaType: 'text/plain' }, 'text'],
    ['hello', { fileName: 'a.md', mediaType: 'text/html' }, 'html'],
    [' <!DOCTYPE html><p>', { mediaType: 'text/plain' }, 'html'],
    ['<?xml version="1.0"?>\n<html>', {}, 'html'],
    ['\xff\xfeh\0', {}, 'text'],
  ])('RAG-1: %j, declared as %j, is %s', (head, declared, format) => {
    expect(tellFormat(Buffer.from(head, 'latin1'), declared)).toBe(format);
  });

  it.each([
    ['PK\x03\x04\x14\0', { mediaType: 'application/vnd.openxmlformats' }, 'unsupported_media_type'],
    ['PK\x03\x04\x14\0', { mediaType: 'text/plain' }, 'unsupported_media_type'],
    ['\x89PNG\r\n\x1a\n', { fileName: 'a.txt' }, 'unsupported_media_type'],
    ['<svg xmlns="x">', {}, 'unsupported_media_type'],
    ['<?xml version="1.0"?><rss>', {}, 'unsupported_media_type'],
    ['hello', { mediaType: 'image/png' }, 'unsupported_media_type'],
    ['hello', { mediaType: 'application/pdf' }, 'validation_failed'],
    ['hello', { fileName: 'a.pdf' }, 'validation_failed'],
  ])('RAG-3: %j, declared as %j, is `%s`', (head, declared, code) => {
    expect(() => tellFormat(Buffer.from(head, 'latin1'), declared)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
