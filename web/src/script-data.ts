/** Script templates and scripts, as the gateway shows them, and the words of a text that grows. */

import type { RunPhase } from './run.ts';
import type { StreamState } from './stream-state.ts';
import { type Fault, faultOf, fieldsOf, listOf, numberOf, textOf } from './wire.ts';

/** What a script is written after. */
export interface Template {
  readonly id: string;
  readonly scriptType: string;
  readonly name: string;
  readonly description: string;
  /** Words. */
  readonly defaultLength?: number;
  /** What it cannot do without. */
  readonly required: readonly { readonly name: string; readonly description: string }[];
}

/** Reads `GET /api/v1/templates`. */
export function parseTemplates(body: unknown): Template[] {
  return listOf(fieldsOf(body)['templates']).map((template) => {
    const { id, script_type, name, description, default_length, variables } = template;
    const length = numberOf(default_length);
    return {
      id: textOf(id) ?? '',
      scriptType: textOf(script_type) ?? '',
      name: textOf(name) ?? textOf(id) ?? '',
      description: textOf(description) ?? '',
      ...(length === undefined ? {} : { defaultLength: length }),
      required: listOf(variables)
        .filter(({ required }) => required === true)
        .map((variable) => ({
          name: textOf(variable['name']) ?? '',
          description: textOf(variable['description']) ?? '',
        })),
    };
  });
}

const PHASE_OF_STATUS: Readonly<Record<string, RunPhase>> = {
  succeeded: 'completed',
  canceled: 'stopped',
  failed: 'failed',
  timed_out: 'failed',
};

/** A script, as far as the page shows it. */
export interface ScriptState {
  /** Absent while it is written. */
  readonly phase?: RunPhase;
  readonly facts: StreamState;
  readonly wordCount?: number;
  readonly warnings: readonly string[];
  readonly fault?: Fault;
}

/** Reads `GET /api/v1/generate/{id}`. */
export function parseScript(body: unknown): ScriptState {
  const { status, model, provider, usage, cost, word_count, warnings, error } = fieldsOf(body);
  const { input_tokens, output_tokens } = fieldsOf(usage);
  const facts = {
    model: textOf(model),
    provider: textOf(provider),
    inputTokens: numberOf(input_tokens),
    outputTokens: numberOf(output_tokens),
    costUsd: numberOf(fieldsOf(cost)['total_usd']),
  };
  const known = {
    phase: PHASE_OF_STATUS[textOf(status) ?? ''],
    wordCount: numberOf(word_count),
    fault: error ? faultOf(error, 'The gateway did not say what failed.') : undefined,
  };
  return {
    ...present(known),
    facts: { status: textOf(status) ?? 'queued', ...present(facts) },
    warnings: Array.isArray(warnings) ? warnings.map(String) : [],
  };
}

type Present<Fields> = { readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

function present<Fields extends object>(fields: Fields): Present<Fields> {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as Present<Fields>;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

function wordsIn(text: string): number {
  let words = 0;
  for (const { isWordLike } of segmenter.segment(text)) if (isWordLike) words += 1;
  return words;
}

/**
 * Counts the words of a text that comes in pieces, as the gateway does (UAX #29). Only what stands
 * after the last white space is looked at again, since the next piece may go on with that word.
 */
export function createWordCount(): (piece: string) => number {
  let counted = 0;
  let rest = '';
  return (piece) => {
    const text = rest + piece;
    const cut = text.search(/\S*$/);
    counted += wordsIn(text.slice(0, cut));
    rest = text.slice(cut);
    return counted + wordsIn(rest);
  };
}
