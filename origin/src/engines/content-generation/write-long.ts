/** Writes a long text section after section: no model writes thousands of words at one go. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type {
  FinishReason,
  ModelMessage,
  ProviderName,
} from '@headwater/shared/providers/contract';
import type { Usage } from '@headwater/shared/stream/event';
import type { Answer } from '@headwater/shared/text/ask-model';
import { countWords } from '@headwater/shared/text/scripts/count-words';
import {
  MAX_EMPTY_CALLS,
  mostCalls,
  nextGoal,
} from '@headwater/shared/text/scripts/length-control';
import {
  createLengthGate,
  endsWithSentence,
  type LengthWindow,
} from '@headwater/shared/text/scripts/length-gate';
import * as z from 'zod';
import type { ContentParams } from './manifest.ts';
import { writeOutlinePrompt, writeSectionPrompt } from './prompt.ts';

/** Longest text that is asked for at one go, in words. */
const MOST_WORDS_AT_ONCE = 1_500;

/** About so many words are asked for at a time, of a longer one. */
const SECTION_WORDS = 900;

/** Room of an answer, in tokens: of a word, at most, and for what is no word; and of an outline. */
const TOKENS_PER_WORD = 5;
const SPARE_TOKENS = 400;
const OUTLINE_TOKENS = 2_000;

/** What the writing is wired to. */
export interface LongPorts {
  /** Asks a model. `heard` gets each piece, and the answer ends as soon as it gives back false. */
  ask(
    messages: readonly ModelMessage[],
    maxTokens: number,
    heard?: (text: string) => boolean,
  ): Promise<Answer>;
  text(text: string): void;
  /** How much of it is there, 0–1. */
  progress(fraction: number, stage: string): void;
  keep(checkpoint: LongCheckpoint): void;
}

/** An answer that was heard, without its text. */
export interface HeardAnswer {
  readonly model: string;
  readonly provider: ProviderName;
  readonly usage: Usage;
  readonly finishReason: FinishReason | null;
}

/** What an attempt keeps for the one after it. */
export interface LongCheckpoint {
  readonly outline: string;
  readonly sections: readonly string[];
  readonly calls: number;
  readonly answers: readonly HeardAnswer[];
}

/** A whole text, and what it took. */
export interface LongText {
  readonly text: string;
  readonly answers: readonly HeardAnswer[];
}

/** True of what is written in sections: a text of its own, longer than one answer. */
export function isLong({ kind, length = 0, schema, format }: ContentParams): boolean {
  if (schema !== undefined || format === 'json') return false;
  return length > MOST_WORDS_AT_ONCE && kind !== 'translation' && kind !== 'title';
}

/**
 * Writes it, about `length` words of it; `kept` is what an earlier attempt kept. It is shorter where
 * the models say no more, however often they are asked. Errors: those of `ask`; `processing_failed`
 * where there is not a word.
 */
export async function writeLong(
  params: ContentParams,
  length: number,
  ports: LongPorts,
  kept?: LongCheckpoint,
): Promise<LongText> {
  const count = Math.ceil(length / SECTION_WORDS);
  const planned = Array.from({ length: count }, () => length / count);
  const sections = [...(kept?.sections ?? [])].slice(0, count);
  const answers = [...(kept?.answers ?? [])];
  let outline = kept?.outline;
  let written = sections.join('');
  let words = countWords(written);
  let calls = kept?.calls ?? 0;
  let emptyCalls = 0;

  const hear = ({ text: _text, ...heard }: Answer): void => void answers.push(heard);
  const tell = (): void => ports.progress(Math.min(1, words / length), 'writing');

  async function makeOutline(): Promise<string> {
    ports.progress(0, 'outline');
    const answer = await ports.ask(writeOutlinePrompt(params, count), OUTLINE_TOKENS);
    hear(answer);
    return answer.text.trim();
  }

  /** One answer, let through up to its length; gives how many words came of it. */
  async function askOnce(messages: readonly ModelMessage[], window: LengthWindow): Promise<number> {
    const gate = createLengthGate(window);
    const before = words;
    const show = (text: string): void => {
      if (text === '') return;
      const joint = words === before ? jointAfter(written) : '';
      written += joint + text;
      words = before + gate.words;
      ports.text(joint + text);
      tell();
    };
    const maxTokens = Math.ceil(window.most * TOKENS_PER_WORD) + SPARE_TOKENS;
    const answer = await ports.ask(messages, maxTokens, (piece) => {
      show(gate.take(piece));
      return !gate.isFull;
    });
    show(gate.finish(answer.finishReason === 'length'));
    hear(gate.isFull ? { ...answer, finishReason: 'stop' } : answer);
    return gate.words;
  }

  /** Asks for a section until it is long enough; false where the models say no more. */
  async function writeSection(plan: string, at: number): Promise<boolean> {
    const before = words;
    for (;;) {
      const gained = words - before;
      const state = { target: length, planned: planned.slice(at), before, written: gained };
      const goal = nextGoal(state);
      if (goal === undefined) return true;
      if (calls >= mostCalls(count) || emptyCalls >= MAX_EMPTY_CALLS) return false;
      calls += 1;
      const section = { at, count, words: goal.words, goesOn: gained > 0, outline: plan, written };
      const came = await askOnce(writeSectionPrompt(params, section), goal.window);
      emptyCalls = came === 0 ? emptyCalls + 1 : 0;
    }
  }

  if (written !== '') ports.text(written);
  outline ??= await makeOutline();
  tell();
  while (sections.length < count) {
    const from = written.length;
    const isWhole = await writeSection(outline, sections.length);
    sections.push(written.slice(from));
    if (!isWhole) break;
    ports.keep({ outline, sections: [...sections], calls, answers: [...answers] });
  }
  if (words === 0) throw new GatewayError('processing_failed', 'The model gave no text.');
  return { text: written, answers };
}

/** What stands between two answers. */
function jointAfter(text: string): string {
  if (text === '') return '';
  return endsWithSentence(text) ? '\n\n' : ' ';
}

const checkpointSchema = z.object({
  outline: z.string(),
  sections: z.array(z.string()),
  calls: z.int().min(0),
  answers: z.array(
    z.object({
      model: z.string(),
      provider: z.string(),
      usage: z.object({
        inputTokens: z.number(),
        outputTokens: z.number(),
        source: z.enum(['provider', 'tokenizer']),
      }),
      finishReason: z.string().nullable(),
    }),
  ),
});

/** Reads what was kept; `undefined` where it is of another release: the text begins anew. */
export function readLongCheckpoint(kept: unknown): LongCheckpoint | undefined {
  const read = checkpointSchema.safeParse(kept);
  return read.success ? (read.data as unknown as LongCheckpoint) : undefined;
}
