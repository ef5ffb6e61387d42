/** A Markdown tree as HTML, so that what is hidden in it is judged as in any page. */

import type { Nodes, Parents } from 'mdast';

/** Deepest nesting; what lies deeper is left out. */
const MAX_DEPTH = 200;

/** The HTML of a node. Pictures are their words, links their text, raw HTML itself. */
export function htmlOf(node: Nodes, depth = 0): string {
  if (depth > MAX_DEPTH) return '';
  switch (node.type) {
    case 'text':
      return escapeText(node.value);
    case 'html':
      return node.value;
    case 'inlineCode':
      return `<code>${escapeText(node.value)}</code>`;
    case 'code':
      return `<pre>${escapeText(node.value)}</pre>`;
    case 'image':
    case 'imageReference':
      return escapeText(node.alt ?? '');
    case 'break':
      return '<br>';
    case 'thematicBreak':
      return '<hr>';
    case 'heading':
      return wrap(`h${node.depth}`, node, depth);
    case 'paragraph':
      return wrap('p', node, depth);
    case 'blockquote':
      return wrap('blockquote', node, depth);
    case 'list':
      return wrap(node.ordered === true ? 'ol' : 'ul', node, depth);
    case 'listItem':
      return wrap('li', node, depth);
    case 'table':
      return wrap('table', node, depth);
    case 'tableRow':
      return wrap('tr', node, depth);
    case 'tableCell':
      return wrap('td', node, depth);
    default:
      return 'children' in node ? inner(node, depth) : '';
  }
}

function wrap(tag: string, node: Parents, depth: number): string {
  return `<${tag}>${inner(node, depth)}</${tag}>`;
}

function inner(node: Parents, depth: number): string {
  return node.children.map((child) => htmlOf(child, depth + 1)).join('');
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
