import { stripVTControlCharacters } from 'node:util';

/** wrangler's lines about itself; whatever is not listed is kept. */
const CHATTER = [
  /^Using (secrets|vars) defined in /,
  /^⎔ /,
  /^\[wrangler:info\] /,
  /^\s*⛅/u,
  /^[─-]{4,}$/,
  /Logs were written to "/,
];
const TABLE_START = 'Your Worker has access to the following bindings:';
// wrangler frames what a Worker writes with console.error and console.warn.
const FRAMED_JSON = /^\S+ \[(?:ERROR|WARNING)\] (\{.*\})$/;

/**
 * Makes a filter for the lines of `wrangler dev`: it drops banners, the table of bindings, request
 * lines and blank lines, and takes the frame and the colours off the Worker's own JSON lines.
 *
 * @returns the filter: gives the line to print, or undefined for none
 */
export function createWranglerLogFilter(): (line: string) => string | undefined {
  let inTable = false;
  return (line) => {
    const plain = stripVTControlCharacters(line).trimEnd();
    if (plain === '') {
      inTable = false;
      return undefined;
    }
    if (plain === TABLE_START) inTable = true;
    // A Worker's line can come while the table is printed.
    if (plain.startsWith('{')) return plain;
    if (inTable || CHATTER.some((pattern) => pattern.test(plain))) return undefined;
    return FRAMED_JSON.exec(plain)?.[1] ?? plain;
  };
}
