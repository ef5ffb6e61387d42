/** How the model of these tests answers: from what it is given, as a real one would. */

import type { VendorDirective } from '@headwater/shared/testing/vendors/directive';
import type { SaidTurn, ScriptedMind } from '@headwater/shared/testing/vendors/scripted-requests';

/** In a description: the model takes its time, so that a test can be in the middle of it. */
export const SLOWLY = 'Take your time.';

/** Words of a slow model a second, about. */
const SLOW_DELAY_MS = 15;

/** Decides by the rules in the system's role which service asks. */
export const mindOf: ScriptedMind = (turns) => {
  const rules = turns.filter(({ role }) => role === 'system').map(({ text }) => text);
  const asked = turns.findLast(({ role }) => role === 'user')?.text ?? '';
  if (rules.some((text) => text.includes('NOT_IN_DOCUMENTS'))) return { text: quote(asked) };
  if (rules.some((text) => text.startsWith('You write a script'))) return write(asked);
  if (asked.startsWith('[[script ') || rules.length === 0) return remembering(turns, asked);
  return undefined;
};

/** Answers from the first passage that names what is asked for. */
function quote(asked: string): string {
  const question = asked.slice(asked.lastIndexOf('Question: '));
  const key = question.match(/[A-Z][a-z]{4,}/g)?.at(-1) ?? '';
  for (const line of asked.split('\n')) {
    if (!line.startsWith('{"passage"')) continue;
    const { passage, text } = JSON.parse(line) as { passage: number; text: string };
    const sentence = text.split(/(?<=\.)\s/).find((part) => part.includes(key));
    if (sentence !== undefined) return `${sentence.trim()} [${passage}]`;
  }
  return 'NOT_IN_DOCUMENTS';
}

/** Writes as many words as it is asked for, and no outline that could be read. */
function write(asked: string): VendorDirective {
  const pace = asked.includes(SLOWLY) ? { delayMs: SLOW_DELAY_MS } : {};
  const words = Number(/Length: about (\d+) words/.exec(asked)?.[1] ?? 0);
  if (words === 0) return { text: 'An outline.' };
  const sentences = Array.from({ length: Math.ceil(words / 5) }, () => 'The river went on north.');
  return { text: sentences.join(' '), ...pace };
}

/** Knows what was said before: `What did I say?` is answered with it. */
function remembering(turns: readonly SaidTurn[], asked: string): VendorDirective | undefined {
  if (!asked.startsWith('What did I say?')) return undefined;
  const said = turns.filter(({ role, text }) => role === 'user' && text !== asked);
  return { text: `You said: ${said.map(({ text }) => text).join(' | ')}` };
}
