/** How a test chooses what a scripted vendor does: a directive in the last user message. */

/** What goes wrong, after `afterTokens` tokens. */
export type VendorFault =
  /** The connection is destroyed before any byte of an answer. */
  | 'refuse'
  /** The connection is destroyed between events. */
  | 'cut'
  /** Half of the next event is sent, then the body closes properly. */
  | 'cut-mid-event'
  /** Half of the next event is sent, then the connection is destroyed. */
  | 'destroy-mid-event'
  /** The body closes properly between events, and that is all. */
  | 'close-early'
  /** The vendor's own error event. */
  | 'error-event'
  /** A complete event that is no JSON. */
  | 'malformed'
  /** The whole text and a proper close, but no reason for the end. */
  | 'no-finish'
  /** Everything but the usage. */
  | 'no-usage'
  /** A proper end, of an answer without a word. */
  | 'no-text'
  /** The end is said twice. */
  | 'double-finish'
  /** Nothing more comes, and the connection stays open. */
  | 'stall'
  /** Status 200 and no byte of body. */
  | 'empty';

/** A function to ask for; `arguments` is the JSON text, which is sent in pieces. */
export interface ScriptedToolCall {
  readonly name: string;
  readonly arguments: string;
}

/** The JSON of `[[script {…}]] rest of the message`. */
export interface VendorDirective {
  /** The answer; a token is a word with the whitespace in front of it. */
  readonly text?: string;
  /** Length of a made-up answer, where no text is given. */
  readonly tokens?: number;
  /** Another seed makes another text of `tokens`. Default 1. */
  readonly seed?: number;
  /** Pause before each write after the first, in milliseconds. */
  readonly delayMs?: number;
  /** Pause before the headers, in milliseconds. */
  readonly firstDelayMs?: number;
  /** One delta of so many characters is the answer. */
  readonly hugeLength?: number;
  /** Functions that the model asks for, after the text; without a `text` there is none. */
  readonly toolCalls?: readonly ScriptedToolCall[];
  /** Keep-alives before the first token, each a write of its own. */
  readonly keepAlives?: number;
  /** Why the answer ended, where it is not what the request makes of it. */
  readonly finish?: 'stop' | 'length' | 'content_filter';
  /** Refuses with this status instead of answering. */
  readonly status?: number;
  /** `Retry-After` of the refusal. */
  readonly retryAfter?: string;
  readonly fault?: VendorFault;
  /** Only the first so many requests with this prompt meet `status` or `fault`. Default: all. */
  readonly failTimes?: number;
  /** Tokens in front of the fault. Default: half of them. */
  readonly afterTokens?: number;
  /** Cuts the body into writes of so many bytes, also inside a character. Default: one write a token. */
  readonly bytesPerWrite?: number;
}

/** The answer to a message without a directive: 12 tokens with multi-byte characters, newlines and leading spaces. */
export const FIXED_ANSWER =
  '  Héllo from the scripted vendor,\n\n    漢字 and 🌊 arrive whole:\nnothing lost.';

const OPEN = '[[script ';
const CLOSE = ']]';

/** Reads the directive at the start of a message; without one, the defaults. Throws SyntaxError for bad JSON. */
export function readDirective(prompt: string): VendorDirective {
  if (!prompt.startsWith(OPEN)) return {};
  let failure: unknown;
  // `]]` may stand inside a JSON string, so the first one need not be the end.
  for (let at = prompt.indexOf(CLOSE); at !== -1; at = prompt.indexOf(CLOSE, at + 1)) {
    try {
      return JSON.parse(prompt.slice(OPEN.length, at)) as VendorDirective;
    } catch (thrown) {
      failure = thrown;
    }
  }
  throw new SyntaxError('a [[script {…}]] directive is not closed or no JSON', { cause: failure });
}

/** Writes the message that asks for a directive. */
export function scriptedPrompt(directive: VendorDirective, rest = 'Tell me.'): string {
  return `${OPEN}${JSON.stringify(directive)}${CLOSE} ${rest}`;
}

/** The answer's tokens, exactly as they are sent one by one. */
export function answerTokens(directive: VendorDirective): string[] {
  if (directive.hugeLength !== undefined) return ['x'.repeat(directive.hugeLength)];
  if (directive.text !== undefined) return splitTokens(directive.text);
  if (directive.toolCalls !== undefined || directive.fault === 'no-text') return [];
  if (directive.tokens !== undefined) return makeTokens(directive.tokens, directive.seed ?? 1);
  return splitTokens(FIXED_ANSWER);
}

/** The full text that a scripted vendor answers a message with, faults aside. */
export function scriptedAnswer(prompt: string): string {
  return answerTokens(readDirective(prompt)).join('');
}

/** The part of {@link scriptedAnswer} that is sent in full events, faults included. */
export function scriptedSent(prompt: string): string {
  const directive = readDirective(prompt);
  if (directive.status !== undefined) return '';
  const tokens = answerTokens(directive);
  return tokens.slice(0, sentTokens(directive, tokens.length)).join('');
}

/** The usage that a scripted vendor reports for a message that is the only one; tokens are words. */
export function scriptedUsage(prompt: string): { inputTokens: number; outputTokens: number } {
  return {
    inputTokens: countWords(prompt),
    outputTokens: answerTokens(readDirective(prompt)).length,
  };
}

/** How many of `total` tokens are sent before the fault; all of them where the fault is at the end. */
export function sentTokens(directive: VendorDirective, total: number): number {
  switch (directive.fault) {
    case undefined:
    case 'no-finish':
    case 'no-usage':
    case 'no-text':
    case 'double-finish':
      return total;
    case 'refuse':
    case 'empty':
      return 0;
    default:
      return Math.min(total, directive.afterTokens ?? Math.floor(total / 2));
  }
}

/** The directive as the n-th request with its prompt meets it (from 1). */
export function directiveAt(directive: VendorDirective, attempt: number): VendorDirective {
  const { status, fault, failTimes, ...rest } = directive;
  return failTimes !== undefined && attempt > failTimes ? rest : directive;
}

/** Words of a text: the scripted vendors' idea of a token. */
export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

function splitTokens(text: string): string[] {
  return text.match(/\s*\S+(?:\s+$)?|\s+$/g) ?? [];
}

const WORDS = 'river stone été light 漢字 wind north über lamp 🌊 quiet field'.split(' ');

/** A small linear congruential generator (Numerical Recipes' constants): the same seed, the same text. */
function makeTokens(count: number, seed: number): string[] {
  let state = seed >>> 0;
  return Array.from({ length: count }, (_, index) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const word = WORDS[(state >>> 16) % WORDS.length] ?? '';
    if (index === 0) return word;
    return index % 20 === 0 ? `\n${word}` : ` ${word}`;
  });
}
