/** Texts of callers on their way into a prompt. */

/** All control characters but tab and line feed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is for.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** The text without control characters, halves of surrogate pairs, and blanks around it. */
export function asPlainText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(CONTROLS, '').toWellFormed().trim();
}

/** The same on one line: what stands in a list of rules must not begin a line of its own. */
export function asOneLine(text: string): string {
  return asPlainText(text).replace(/\s+/g, ' ');
}

/** Names of fences. */
const FENCES = ['persona', 'character', 'user_input'] as const;

/** Where a tag of a fence begins, however it is written. */
const FENCE_TAG = new RegExp(`<(?=[\\s/\\\\]*(?:${FENCES.join('|')}))`, 'gi');

/**
 * Puts data between `<name>` and `</name>`. Such a tag within the data, of any fence, is made a
 * text, so that nothing in the data can end its fence.
 */
export function fence(name: (typeof FENCES)[number], data: string): string {
  return `<${name}>\n${asPlainText(data).replace(FENCE_TAG, '&lt;')}\n</${name}>`;
}
