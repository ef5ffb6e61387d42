/** Writes a script with a model: an outline, then call after call until it is as long as it was to be. */

import { GatewayError } from '../../protocol/errors.ts';
import type { FinishReason, ModelMessage, ProviderName } from '../../providers/contract.ts';
import type { Usage } from '../../stream/event.ts';
import type { Answer } from '../ask-model.ts';
import { countWords } from './count-words.ts';
import { type LengthGoal, MAX_EMPTY_CALLS, mostCalls, nextGoal } from './length-control.ts';
import { createLengthGate, endsWithSentence } from './length-gate.ts';
import { type Outline, plainOutline, readOutline } from './outline.ts';
import { type PlannedCall, planScript, type ScriptPlan } from './plan.ts';
import type { ScriptCheckpoint } from './script-checkpoint.ts';
import { outlinePrompt, outlineRepair, partPrompt, type ScriptBrief } from './script-prompt.ts';

/** What the writing is wired to. */
export interface WritePorts {
  /**
   * Asks a model, with room for `maxTokens`. `heard` gets each piece, and the answer is to end as
   * soon as it gives back false. Errors: the vendor's own.
   */
  ask(
    messages: readonly ModelMessage[],
    maxTokens: number,
    heard?: (text: string) => boolean,
  ): Promise<Answer>;
  /** False where no outline can be had: the simulation makes none. */
  readonly hasOutline: boolean;
  /** The script, as it grows. */
  text(text: string): void;
  /** How much of it is there, 0–1, and what is written. */
  progress(fraction: number, stage: string): void;
  /** Keeps what another attempt goes on with. */
  keep(checkpoint: ScriptCheckpoint): void | Promise<void>;
}

/** A part of the script, and where it stands. */
export interface WrittenPart {
  readonly name: string;
  readonly words: number;
  /** UTF-16 units of the text, the end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Tokens of one model, of all its answers. */
export interface ModelUsage extends Usage {
  readonly model: string;
  readonly provider: ProviderName;
}

/** A whole script. */
export interface WrittenScript {
  readonly text: string;
  readonly words: number;
  readonly parts: readonly WrittenPart[];
  readonly outline: Outline;
  readonly usage: readonly ModelUsage[];
  readonly finishReason: FinishReason;
}

/** Tokens of a word, at most, in the languages that need the most; and room for what is no word. */
const TOKENS_PER_WORD = 5;
const SPARE_TOKENS = 400;

/** Of an outline: for each part, and at most. */
const OUTLINE_TOKENS_PER_PART = 400;
const MAX_OUTLINE_TOKENS = 8_000;

/** Progress that words make; the rest is the end of the task. */
const MOST_PROGRESS = 0.98;

/**
 * Writes it; `kept` is what an earlier attempt at the same brief kept. Errors: those of `ask`;
 * `processing_failed` where the model gives nothing, or too little, however often it is asked.
 */
export async function writeScript(
  brief: ScriptBrief,
  ports: WritePorts,
  kept?: ScriptCheckpoint,
): Promise<WrittenScript> {
  const plan = planScript(brief.template.parts, brief.lengthTarget);
  const usage = new Map((kept?.usage ?? []).map((entry) => [entry.model, entry]));
  const sections = [...(kept?.sections ?? [])].slice(0, plan.calls.length);
  let written = sections.join('');
  let words = countWords(written);
  let calls = kept?.calls ?? 0;
  let emptyCalls = 0;
  let finishReason: FinishReason = 'stop';

  function count({ model, provider, usage: used }: Answer): void {
    const before = usage.get(model);
    const isVendors = used.source === 'provider' && (before?.source ?? 'provider') === 'provider';
    usage.set(model, {
      model,
      provider,
      inputTokens: used.inputTokens + (before?.inputTokens ?? 0),
      outputTokens: used.outputTokens + (before?.outputTokens ?? 0),
      source: isVendors ? 'provider' : 'tokenizer',
    });
  }

  const tell = (stage: string) =>
    ports.progress(Math.min(1, words / brief.lengthTarget) * MOST_PROGRESS, stage);

  async function makeOutline(): Promise<Outline> {
    if (!ports.hasOutline) return plainOutline(plan);
    tell('outline');
    const room = Math.min(MAX_OUTLINE_TOKENS, plan.parts.length * OUTLINE_TOKENS_PER_PART + 200);
    const messages = outlinePrompt(brief, plan);
    const first = await ports.ask(messages, room);
    count(first);
    const read = readOutline(first.text, plan);
    if ('outline' in read) return read.outline;
    const second = await ports.ask(outlineRepair(messages, first.text, read.fault), room);
    count(second);
    const again = readOutline(second.text, plan);
    return 'outline' in again ? again.outline : plainOutline(plan);
  }

  /** One answer of the model, let through up to its length; the words that came of it. */
  async function askOnce(
    outline: Outline,
    at: number,
    goal: LengthGoal,
    goesOn: boolean,
  ): Promise<number> {
    const call = plan.calls[at] as PlannedCall;
    const stage = plan.parts[call.part]?.name ?? '';
    const gate = createLengthGate(goal.window);
    const wordsBefore = words;
    let isFirst = true;
    const show = (text: string) => {
      if (text === '') return;
      const joined = isFirst ? `${jointAfter(written)}${text}` : text;
      isFirst = false;
      written += joined;
      words = wordsBefore + gate.words;
      ports.text(joined);
      tell(stage);
    };
    tell(stage);
    const isLast = at === plan.calls.length - 1;
    const messages = partPrompt({
      ...{ brief, plan, outline, call, written, words: goal.words, goesOn, isLast },
    });
    const room = Math.ceil(goal.window.most * TOKENS_PER_WORD) + SPARE_TOKENS;
    const answer = await ports.ask(messages, room, (piece) => {
      show(gate.take(piece));
      return !gate.isFull;
    });
    show(gate.finish(answer.finishReason === 'length'));
    count(answer);
    finishReason = gate.isFull ? 'stop' : (answer.finishReason ?? 'stop');
    return gate.words;
  }

  /** One call of the plan, and those it takes until it is long enough. */
  async function writeSection(outline: Outline, at: number): Promise<void> {
    const from = written.length;
    const before = words;
    const planned = plan.calls.slice(at).map((call) => call.words);
    const { lengthTarget: target } = brief;
    for (;;) {
      const goal = nextGoal({ target, planned, before, written: words - before });
      if (goal === undefined) break;
      if (calls >= mostCalls(plan.calls.length)) throw tooShort(words, target, calls);
      calls += 1;
      const gained = await askOnce(outline, at, goal, written.length > from);
      emptyCalls = gained === 0 ? emptyCalls + 1 : 0;
      if (emptyCalls >= MAX_EMPTY_CALLS) throw tooShort(words, target, calls);
    }
    sections.push(written.slice(from));
  }

  if (written !== '') ports.text(written);
  const outline = kept?.outline ?? (await makeOutline());
  while (sections.length < plan.calls.length) {
    await writeSection(outline, sections.length);
    await ports.keep({ outline, sections: [...sections], calls, usage: [...usage.values()] });
  }
  return {
    text: written,
    words: countWords(written),
    parts: partsOf(plan, sections),
    outline,
    usage: [...usage.values()],
    finishReason,
  };
}

/** What stands between two answers. */
function jointAfter(text: string): string {
  if (text === '') return '';
  return endsWithSentence(text) ? '\n\n' : ' ';
}

/** Where each part stands, without what stands between the parts. */
function partsOf({ parts, calls }: ScriptPlan, sections: readonly string[]): WrittenPart[] {
  let at = 0;
  const whole = parts.map(({ name }) => ({ name, text: '', start: 0 }));
  for (const [index, section] of sections.entries()) {
    const part = whole[calls[index]?.part ?? 0];
    if (part === undefined) continue;
    if (part.text === '') part.start = at;
    part.text += section;
    at += section.length;
  }
  return whole.map(({ name, text, start }) => {
    const from = start + (text.length - text.trimStart().length);
    return { name, words: countWords(text), start: from, end: start + text.length };
  });
}

function tooShort(words: number, target: number, calls: number): GatewayError {
  const message =
    words === 0
      ? 'The model gave no text.'
      : `The model writes too little: ${words} of ${target} words in ${calls} calls. Ask for a shorter script, or for another model.`;
  return new GatewayError('processing_failed', message);
}
