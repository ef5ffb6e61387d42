/** Holds a model's JSON to the schema that its caller gave. */

import type { Json } from '@headwater/shared/tasks/task';
import * as z from 'zod';

/** Longest schema, in characters of JSON: it goes into the prompt. */
const MAX_SCHEMA_CHARS = 32_768;

/** Most faults that a repair is told of, and the longest text of them, in characters. */
const MAX_FAULTS = 10;
const MAX_FAULT_CHARS = 2_000;

/** A schema that answers can be held to. */
export interface AnswerSchema {
  /** As it is shown to the model. */
  readonly json: string;
  /** Reads an answer; `fault` tells the model what to mend. */
  read(answer: string): { readonly data: Json } | { readonly fault: string };
}

/** Reads a JSON schema (draft 2020-12, 7 or 4); `fault` says what is wrong with it. */
export function readAnswerSchema(schema: {
  readonly [name: string]: Json;
}): AnswerSchema | { readonly fault: string } {
  const json = toText(schema);
  if (json === undefined || json.length > MAX_SCHEMA_CHARS)
    return { fault: 'is too long: 32 KiB are the most.' };
  const checker = toChecker(schema);
  if (checker === undefined) {
    return {
      fault:
        'is no JSON schema that can be checked here. Not supported: `not`, `if`, `dependent…`, `unevaluated…` and references to other documents.',
    };
  }
  return { json, read: (answer) => readAnswer(answer, checker) };
}

function toText(schema: { readonly [name: string]: Json }): string | undefined {
  try {
    return JSON.stringify(schema);
  } catch {
    // So deep that it cannot be written.
    return undefined;
  }
}

function toChecker(schema: { readonly [name: string]: Json }): z.ZodType | undefined {
  try {
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  } catch {
    // Whatever it does not know, or a depth that is too much for it: it cannot be checked.
    return undefined;
  }
}

function readAnswer(
  answer: string,
  checker: z.ZodType,
): { readonly data: Json } | { readonly fault: string } {
  let data: unknown;
  try {
    data = JSON.parse(unfenced(answer));
  } catch {
    // The parser's message quotes the answer; where it broke is of no use to a model.
    return { fault: 'It is not JSON.' };
  }
  const read = checker.safeParse(data);
  // The answer itself, not what the checker makes of it: a schema's defaults are not the model's words.
  if (read.success) return { data: data as Json };
  const faults = read.error.issues
    .slice(0, MAX_FAULTS)
    .map(({ path, message }) => `${path.length === 0 ? 'the whole' : path.join('.')}: ${message}`);
  return { fault: faults.join('\n').slice(0, MAX_FAULT_CHARS) };
}

/** Models like to put JSON into a Markdown fence, whatever they are told. */
function unfenced(answer: string): string {
  const fenced = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/.exec(answer)?.[1];
  return (fenced ?? answer).trim();
}
