/** Lets a model's text through up to a length, and ends it where a sentence ends. */

import { countWords, wordSegments } from './count-words.ts';

/** How long a text may become, in words. */
export interface LengthWindow {
  /** From here on a sentence's end will do: what comes after one is held until the next is there. */
  readonly least: number;
  /** The first end of a sentence at or after this ends the text. */
  readonly stopAt: number;
  /** Nothing goes beyond. */
  readonly most: number;
}

/** One answer on its way to the reader. What it gives back was let through. */
export interface LengthGate {
  /** The next piece of the answer. */
  take(piece: string): string;
  /** The answer is over; `isCut`: within a word, perhaps, because it had no more room. */
  finish(isCut: boolean): string;
  /** Nothing more is let through. */
  readonly isFull: boolean;
  /** Words that were let through. */
  readonly words: number;
}

/** Signs that end a sentence; those of scripts without spaces need none after them. */
const ENDS = '.!?…။។።؟۔।॥。！？｡';
const WIDE_ENDS = '。！？｡';

/** Signs of scripts without spaces, after which the words so far are whole. */
const WIDE_PAUSES = `${WIDE_ENDS}，、；：`;

/** What may stand between the end of a sentence and the blank after it. */
const CLOSERS = '"\'”’»›)]}」』】）*_~';

/** A run without a place to part it is parted here, in characters, so that each word is counted once. */
const LONGEST_RUN = 1024;

/** Makes a gate. */
export function createLengthGate({ least, stopAt, most }: LengthWindow): LengthGate {
  let pending = '';
  /** Counted, but not let through yet. */
  let held = '';
  let heldWords = 0;
  let words = 0;
  let hasGoodEnd = false;
  let hasText = false;
  let isFull = false;

  function release(): string {
    const text = hasText ? held : held.trimStart();
    words += heldWords;
    held = '';
    heldWords = 0;
    if (text !== '') hasText = true;
    return text;
  }

  /** Takes in text whose words are whole; `next` is what follows it, as far as it is there. */
  function consume(text: string, next: string): string {
    const count = countWords(text);
    if (words + heldWords + count < least) {
      held += text;
      heldWords += count;
      return release();
    }
    let out = '';
    for (const { segment, index, isWordLike } of wordSegments(text)) {
      if (isWordLike && words + heldWords + 1 > most) {
        isFull = true;
        // Without an end of a sentence in all of the window, the end of a word has to do.
        if (!hasGoodEnd) out += release().trimEnd();
        return out;
      }
      held += segment;
      if (isWordLike) heldWords += 1;
      if (words + heldWords < least || !endsSentence(text, index + segment.length, next)) continue;
      out += release();
      hasGoodEnd = true;
      if (words >= stopAt) {
        isFull = true;
        return out;
      }
    }
    if (words + heldWords < least) out += release();
    return out;
  }

  return {
    take(piece) {
      if (isFull) return '';
      pending += piece.replaceAll('\0', '');
      const at = wholeUpTo(pending);
      if (at === 0) return '';
      const whole = pending.slice(0, at).toWellFormed();
      pending = pending.slice(at);
      return consume(whole, pending);
    },
    finish(isCut) {
      if (isFull) return '';
      const rest = isCut ? '' : pending.trimEnd();
      pending = '';
      const out = rest === '' ? '' : consume(rest.toWellFormed(), '');
      return isFull ? out : out + release();
    },
    get isFull() {
      return isFull;
    },
    get words() {
      return words;
    },
  };
}

/** True where a sentence, or a line, ends right before `at`. */
function endsSentence(text: string, at: number, next: string): boolean {
  const before = text.slice(0, at);
  const after = at < text.length ? text.slice(at) : next;
  if (/^[^\S\r\n]*[\r\n]/.test(after)) return before.trim() !== '';
  if (after !== '' && CLOSERS.includes(after.charAt(0))) return false;
  return endsWithSentence(before, after === '' || /^\s/.test(after));
}

/** True where a text ends as a sentence does. */
export function endsWithSentence(text: string, isBeforeBlank = true): boolean {
  let last = text.length - 1;
  while (last >= 0 && CLOSERS.includes(text.charAt(last))) last -= 1;
  const sign = text.charAt(last);
  if (sign === '') return false;
  return isBeforeBlank ? ENDS.includes(sign) : WIDE_ENDS.includes(sign);
}

/**
 * Up to where the words of a text are whole, whatever comes next: before its last blank, or behind
 * its last wide sign. 0: nowhere.
 */
function wholeUpTo(text: string): number {
  for (let at = text.length - 1; at > 0; at -= 1) {
    const char = text.charAt(at);
    if (/\s/.test(char)) {
      return text.slice(0, at).trimEnd().length;
    }
    // One more character has to be there: a quotation mark that closes belongs to the sentence.
    if (WIDE_PAUSES.includes(text.charAt(at - 1)) && !CLOSERS.includes(char)) return at;
  }
  if (text.length <= LONGEST_RUN) return 0;
  const at = text.length - 64;
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at;
}
