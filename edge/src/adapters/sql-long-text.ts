/** Texts that may be longer than one value of a Durable Object's SQLite. */

/**
 * Characters a row: a value may have 2 MB (Durable Objects, "Limits"), and a character up to three
 * bytes.
 */
export const ROW_CHARS = 256 * 1024;

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;

/**
 * Cuts a text into parts of at most {@link ROW_CHARS} characters, at least one. SQLite keeps UTF-8,
 * so no cut goes through a surrogate pair; a lone surrogate in the text would be lost, and JSON has
 * none.
 */
export function cutLongText(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  do {
    let to = Math.min(text.length, from + ROW_CHARS);
    if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to -= 1;
    parts.push(text.slice(from, to));
    from = to;
  } while (from < text.length);
  return parts;
}
