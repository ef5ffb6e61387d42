/** Counts tokens where a vendor did not say how many there were. */

/**
 * Most characters that the tokenizer gets at once. Its work on one word grows with the square of the
 * word's length, so this bounds what a megabyte without a space can cost.
 */
const CHUNK_CHARS = 512;

/** The tokenizer keeps the words it has met; its own default of 100 000 is much for a Worker. */
const MERGE_CACHE_WORDS = 5000;

type CountChunk = (chunk: string) => number;

let loaded: CountChunk | undefined;

/**
 * How many tokens `text` is in OpenAI's o200k_base encoding: right for GPT-4o and later models, and
 * an approximation for older ones and for every other vendor's, whose encodings differ.
 *
 * Names of special tokens, such as `<|endoftext|>`, count as the plain text they are. The time taken
 * is proportional to the length of the text, whatever is in it; in exchange each 512 characters
 * without a usable space may count a token or two too many.
 *
 * The first call loads the encoding's table (2 MB), so that a gateway which never counts never pays
 * for it.
 */
export async function countTokens(text: string): Promise<number> {
  if (text === '') return 0;
  loaded ??= await loadTokenizer();
  let tokens = 0;
  for (const chunk of chunksOf(text)) tokens += loaded(chunk);
  return tokens;
}

async function loadTokenizer(): Promise<CountChunk> {
  const encoding = await import('gpt-tokenizer/encoding/o200k_base');
  encoding.setMergeCacheSize(MERGE_CACHE_WORDS);
  // An empty set: the default would throw at text that looks like a special token.
  const asPlainText = { disallowedSpecial: new Set<string>() };
  return (chunk) => encoding.countTokens(chunk, asPlainText);
}

/** Parts of `text`, in order and without a gap, of at most {@link CHUNK_CHARS} UTF-16 units each. */
export function* chunksOf(text: string): Generator<string> {
  let start = 0;
  while (text.length - start > CHUNK_CHARS) {
    const end = start + chunkLength(text.slice(start, start + CHUNK_CHARS + 1));
    yield text.slice(start, end);
    start = end;
  }
  if (start < text.length) yield text.slice(start);
}

/** `window` is one unit longer than a chunk may be. */
function chunkLength(window: string): number {
  // A token may begin with the space before its word and never ends with one, so a cut between a
  // word and its space parts no token. Within a longer blank it could.
  for (let at = window.lastIndexOf(' '); at > 0; at = window.lastIndexOf(' ', at - 1)) {
    if (/\S/.test(window.charAt(at - 1))) return at;
  }
  const last = window.charCodeAt(CHUNK_CHARS - 1);
  const isHighSurrogate = last >= 0xd800 && last <= 0xdbff;
  return isHighSurrogate ? CHUNK_CHARS - 1 : CHUNK_CHARS;
}
