/** The terms that a text is found by. */

import { stemmer } from 'stemmer';

/** Longer words are known by their beginning: nobody searches for a kilobyte of base64. */
const MAX_TERM_CHARS = 64;

/** Words whose terms are remembered: a language's common words are most of any text. */
const REMEMBERED_WORDS = 20_000;

/** Letters, digits and their marks, with single apostrophes, dots and commas inside. */
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’.,][\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*/gu;

/** Runs of scripts that put no blanks between words, and of all others. */
const RUNS =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]+|[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+|[^\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+/gu;
const PAIRED = /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]/u;
const UNSPACED = /^[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

const ASCII = /^[\0-\x7f]*$/;
const LATIN_WORD = /^[a-z]+$/;
const ONE_PART = /^[^'’.,]+$/;
const GROUPED_NUMBER = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
const NUMBER = /^\d+(?:[.,]\d+)*$/;
const INITIALS = /^\p{L}(?:\.\p{L})+$/u;

/** Marks that Latin, Greek and Cyrillic letters wear; those of other scripts are vowels. */
const DIACRITICS = /[\u0300-\u036f]/g;

/** Letters that Unicode does not take apart, and the sigma that ends words. */
const FOLDED: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  ς: 'σ',
};
const FOLDABLE = /[ßæœøłđðþıς]/g;

const words = new Intl.Segmenter(undefined, { granularity: 'word' });

let remembered = new Map<string, readonly string[]>();

/**
 * The terms of a text, in order and as often as they come: NFKC, lower case, without diacritics,
 * Latin words by their stem (Porter 1980). Chinese, Japanese and Korean give pairs of characters, as
 * Lucene's CJK analyser does; Thai, Lao, Khmer and Burmese the words of a dictionary. The same text
 * always gives the same terms, and its time is linear.
 */
export function termsOf(text: string): string[] {
  const terms: string[] = [];
  for (const word of text.normalize('NFKC').toLowerCase().match(WORD) ?? []) {
    let known = remembered.get(word);
    if (known === undefined) {
      known = termsOfWord(word);
      if (word.length <= MAX_TERM_CHARS) {
        // All at once: a queue of what was used last would cost more than it saves.
        if (remembered.size >= REMEMBERED_WORDS) remembered = new Map();
        remembered.set(word, known);
      }
    }
    for (const term of known) terms.push(term);
  }
  return terms;
}

function termsOfWord(word: string): string[] {
  if (ASCII.test(word)) return termsOfSpaced(word);
  const terms = (word.match(RUNS) ?? []).flatMap((run) => {
    if (PAIRED.test(run)) return pairsOf(run);
    if (UNSPACED.test(run)) return segmentsOf(run);
    return termsOfSpaced(run);
  });
  // A diacritic that a character of another script wears is a run of its own, and folds to nothing.
  return terms.filter((term) => term !== '');
}

function termsOfSpaced(word: string): string[] {
  if (ONE_PART.test(word)) return [toTerm(word)];
  if (GROUPED_NUMBER.test(word)) return [toTerm(word.replaceAll(',', ''))];
  if (NUMBER.test(word)) return [toTerm(word)];
  if (INITIALS.test(word)) return [toTerm(word.replaceAll('.', ''))];
  const parts = word.split(/['’.,]/).filter((part) => part !== '');
  // What owns something is found by its name alone.
  if (parts.length > 1 && /['’]s$/.test(word)) parts.pop();
  return parts.map(toTerm);
}

function toTerm(word: string): string {
  const short = word.length > MAX_TERM_CHARS ? word.slice(0, MAX_TERM_CHARS) : word;
  const plain = ASCII.test(short) ? short : fold(short);
  return LATIN_WORD.test(plain) ? stemmer(plain) : plain;
}

function fold(word: string): string {
  return word
    .normalize('NFD')
    .replace(DIACRITICS, '')
    .replace(FOLDABLE, (letter) => FOLDED[letter] ?? letter)
    .normalize('NFC')
    .toWellFormed();
}

/** `abc` → `ab`, `bc`; a character alone is its own term. */
function pairsOf(run: string): string[] {
  const characters = Array.from(run);
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, at) => `${characters[at]}${character}`);
}

function segmentsOf(run: string): string[] {
  const terms: string[] = [];
  // A dictionary's work on one run is bounded by cutting it.
  for (let at = 0; at < run.length; at += 1024) {
    for (const { segment } of words.segment(run.slice(at, at + 1024))) terms.push(toTerm(segment));
  }
  return terms;
}
