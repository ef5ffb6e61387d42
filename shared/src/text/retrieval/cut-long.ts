/** Cuts what is too long for one passage, at the gentlest place there is. Linear in the text. */

import { quartersOf, weigh } from './weigh.ts';

/** A part of a text, end exclusive. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  /** Quarters of a token. */
  readonly weight: number;
}

/**
 * A segmenter sees at most so many characters at once. Some rules of Unicode look ahead without a
 * bound, and what a megabyte without a full stop costs must not grow with its square.
 */
const WINDOW_CHARS = 4096;

/** What may follow a cut and decide whether it parts a grapheme. */
const GRAPHEME_CHARS = 64;

const sentences = new Intl.Segmenter(undefined, { granularity: 'sentence' });
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The sentences of a range, none over `max` quarters; white space belongs to the one before it. */
export function cutSentences(text: string, start: number, end: number, max: number): Piece[] {
  const pieces: Piece[] = [];
  let at = start;
  while (at < end) {
    const isRest = end - at <= WINDOW_CHARS;
    const window = text.slice(at, isRest ? end : alignCut(text, at, at + WINDOW_CHARS));
    let next = at;
    for (const { index, segment } of sentences.segment(window)) {
      const isLast = index + segment.length === window.length;
      // The last one may go on behind the window; alone, it is too long for any passage anyway.
      if (isLast && !isRest && index > 0) break;
      next = at + index + segment.length;
      addPiece(pieces, text, at + index, next, max);
    }
    at = next;
  }
  return pieces;
}

/** The lines of a range, none over `max` quarters. */
export function cutLines(text: string, start: number, end: number, max: number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = start; at < end; ) {
    const newline = text.indexOf('\n', at);
    const next = newline < 0 || newline >= end ? end : newline + 1;
    addPiece(pieces, text, at, next, max);
    at = next;
  }
  return pieces;
}

/** As one piece, or as many as `max` asks for. */
function addPiece(pieces: Piece[], text: string, start: number, end: number, max: number): void {
  for (let at = start; at < end; ) {
    const next = furthest(text, at, end, max);
    const cut = next < end ? gentlest(text, at, next) : end;
    pieces.push({ start: at, end: cut, weight: weigh(text, at, cut) });
    at = cut;
  }
}

/** The end of the longest part of at most `max` quarters; always at least one character. */
function furthest(text: string, start: number, end: number, max: number): number {
  let weight = 0;
  for (let at = start; at < end; at += 1) {
    weight += quartersOf(text.charCodeAt(at));
    if (weight > max) return at > start ? at : at + 1;
  }
  return end;
}

/** At or before `cut`: behind a blank in the second half of the part, or between two graphemes. */
function gentlest(text: string, start: number, cut: number): number {
  for (let at = cut; at > start + (cut - start) / 2; at -= 1) {
    if (isBlank(text.charCodeAt(at - 1))) return at;
  }
  return alignCut(text, start, cut);
}

/** `cut`, or the place before it where no grapheme is parted; a pair of surrogates never is. */
function alignCut(text: string, start: number, cut: number): number {
  // From the start, which is between two: flags of two letters each look alike in the middle.
  const around = text.slice(start, cut + GRAPHEME_CHARS);
  const whole = graphemes.segment(around).containing(cut - start)?.index ?? 0;
  return whole > 0 ? start + whole : onCodePoint(text, cut);
}

function onCodePoint(text: string, at: number): number {
  const isInside = isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1));
  return isInside ? at - 1 : at;
}

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;
const isBlank = (unit: number) => unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
