/** Takes out of a quoted text what speaks the language of the machine that reads it. */

/**
 * Marks by which models are told who speaks. A vendor's tokenizer may take the spelled-out mark for
 * the mark itself, and then the quoted text would speak in that role. Sources: the chat templates of
 * ChatML, Llama 2 and 3, Mistral, Gemma, Phi, DeepSeek, Command R and Claude's older prompts.
 */
const ROLE_MARKS: readonly (readonly [mark: RegExp, instead: string])[] = [
  [/<\s{0,4}[|｜]([^<>|｜\n]{1,60})[|｜]\s{0,4}>/g, '($1)'],
  [/\[\s*(\/?)\s*(INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\s*\]/gi, '($1$2)'],
  [/<<\s*(\/?)\s*SYS\s*>>/gi, '($1SYS)'],
  [/<\s*(\/?)\s*(s|bos|eos|pad|unk)\s*>/gi, '($1$2)'],
  [/<\s*(\/?)\s*(start_of_turn|end_of_turn|sep|think|tool_call|tool_response)\s*>/gi, '($1$2)'],
  [
    /<\s*(\/?)\s*((?:antml:)?(?:function_calls|function_results|invoke|parameter)|system|user|assistant|human|instructions?|rules?|documents?|passages?|context|question)\b[^<>]{0,200}>/gi,
    '($1$2)',
  ],
  [
    /(^|[\n\r\u0085\u2028\u2029])((?:[ \t\u00a0]{0,12}[#*>_-]{1,6})?[ \t\u00a0]{0,12})(system|developer|assistant|user|human|rules?|tool|instructions?|question|answer)([^\S\n\r]{0,3}[*_]{0,2})[:：]/gi,
    '$1$2($3$4)',
  ],
  [
    /(^|[\n\r\u0085\u2028\u2029])([^\S\n\r]*)#{2,6}([^\S\n\r]*(?:instruction|response|input|system|user|assistant)s?\b)/gi,
    '$1$2$3',
  ],
];

/** `[3]` and `【3】`, which are the answer's own way to cite. */
const MARKER = /[[【]\s*(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\s*[\]】]/g;

/**
 * The text without role marks, our own markers of sources and the given words (the boundary of the
 * block, the token for "not there"). Everything else stays, letter by letter.
 */
export function neutraliseText(text: string, words: readonly string[]): string {
  let clean = text;
  for (const [mark, instead] of ROLE_MARKS) clean = clean.replace(mark, instead);
  clean = clean.replace(MARKER, '($1)');
  for (const word of words) clean = clean.replaceAll(new RegExp(escapeRegExp(word), 'gi'), '…');
  return clean;
}

function escapeRegExp(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
