/** Keeps an answer's text safe on its way from vendor chunks to events. */

/** What is left of a chunk: the deltas to emit now, and what must wait for the next chunk. */
export interface AnswerChunk {
  readonly deltas: readonly string[];
  /**
   * A high surrogate whose low half has not come yet, as UTF-8 cannot carry half a character; or a
   * CR whose LF may follow, as two events would show the two as two line ends.
   */
  readonly held: string;
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;

const CARRIAGE_RETURN = 0x0d;

const mayBeHalf = (code: number): boolean => isHighSurrogate(code) || code === CARRIAGE_RETURN;

/** The end marker of the text form; no delta may look like it. */
const DONE_MARKER = '[DONE]';

/**
 * Splits vendor text into deltas that survive the wire: never empty, never ending in half a
 * surrogate pair or half a CRLF, and never exactly `[DONE]`, which a text reader takes for the end.
 */
export function takeText(held: string, text: string): AnswerChunk {
  let whole = held === '' ? text : held + text;
  let rest = '';
  if (whole !== '' && mayBeHalf(whole.charCodeAt(whole.length - 1))) {
    rest = whole.slice(-1);
    whole = whole.slice(0, -1);
  }
  if (whole === '') return { deltas: [], held: rest };
  if (whole === DONE_MARKER) return { deltas: ['[DO', 'NE]'], held: rest };
  return { deltas: [whole], held: rest };
}

/** What is held when nothing follows: half a pair as U+FFFD, as any UTF-8 encoder would write it. */
export function releaseText(held: string): string {
  return isHighSurrogate(held.charCodeAt(0)) ? '\uFFFD' : held;
}
