/** What can be asked of `content-generation`: text, or JSON, that a model writes. */

import { routeModel } from '@headwater/shared/providers/route-model';
import type { Json } from '@headwater/shared/tasks/task';
import { MODEL_POLICIES } from '@headwater/shared/text/model-policy';
import * as z from 'zod';
import type { EngineManifest } from '../engine-manifest.ts';
import { readAnswerSchema } from './answer-schema.ts';

/** What is to be written. */
const CONTENT_KINDS = [
  'article',
  'steps',
  'guide',
  'summary',
  'title',
  'description',
  'translation',
] as const;

export type ContentKind = (typeof CONTENT_KINDS)[number];

/** Longest text of one field, in characters; most steps; longest answer, in words. */
const MAX_TEXT_CHARS = 500_000;
const MAX_STEPS = 1_000;
const MAX_WORDS = 20_000;

/** Models that may take over, at most; as in `POST /init-stream`. */
const MAX_FALLBACK_MODELS = 5;

/** A step as step detection gives it: it says something in `description` or `action`. */
const step = z
  .looseObject({ description: z.string().optional(), action: z.string().optional() })
  .refine(({ description, action }) => Boolean(description?.trim() || action?.trim()), {
    message: 'must have a `description` or an `action`.',
  });

/** A result of step detection can be passed as it is. */
function stepsOf(value: unknown): unknown {
  if (!isObject(value)) return value;
  return (value as { readonly steps?: unknown }).steps ?? value;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const modelName = z.string().refine((name) => routeModel(name) !== undefined, {
  message: 'names no model that is served here.',
});

/** Schema of the parameters. */
export const contentParams = z
  .strictObject({
    kind: z.enum(CONTENT_KINDS).default('article'),
    /** What to write, in the caller's words. */
    prompt: z.string().trim().min(1).max(MAX_TEXT_CHARS).optional(),
    /** What to write from: what is summed up, translated, described. */
    text: z.string().trim().min(1).max(MAX_TEXT_CHARS).optional(),
    /** A list of steps, or a result of step detection with them in it. */
    steps: z.preprocess(stepsOf, z.array(step).min(1).max(MAX_STEPS).optional()),
    /** A name or a code, such as `German` or `de`. Default: that of what was given. */
    language: z.string().trim().min(1).max(64).optional(),
    tone: z.string().trim().min(1).max(200).optional(),
    /** Of the answer, in words: about so many. */
    length: z.int().min(1).max(MAX_WORDS).optional(),
    model: modelName.optional(),
    /** Chooses the model where none is named. */
    policy: z.enum(MODEL_POLICIES).optional(),
    /** They take over, in their order, where a model fails before its first word. */
    fallback_models: z.array(modelName).max(MAX_FALLBACK_MODELS).optional(),
    temperature: z.number().min(0).max(2).optional(),
    /** `json`: a guide as title, introduction and steps, by a schema of our own. Default `text`. */
    format: z.enum(['text', 'json']).optional(),
    /** A JSON schema that the answer must be valid by. */
    schema: z
      // Read by hand: a schema of JSON itself would follow it to any depth.
      .custom<{ readonly [name: string]: Json }>(isObject, { message: 'must be an object.' })
      .superRefine((schema, context) => {
        const read = readAnswerSchema(schema);
        if ('fault' in read) context.addIssue({ code: 'custom', message: read.fault });
      })
      .optional(),
  })
  .refine(({ prompt, text, steps }) => Boolean(prompt ?? text ?? steps), {
    path: ['prompt'],
    message: 'One of `prompt`, `text` and `steps` is needed.',
  })
  .refine(({ kind, format, schema }) => format !== 'json' || kind === 'guide' || schema, {
    path: ['format'],
    message: '`json` is of a `guide`; for anything else give a `schema`.',
  })
  .refine(({ format, schema }) => format !== 'text' || schema === undefined, {
    path: ['format'],
    message: 'By a `schema` the answer is JSON.',
  })
  .refine(({ kind, language }) => kind !== 'translation' || language !== undefined, {
    path: ['language'],
    message: 'A translation needs its `language`.',
  });

/** Parameters, checked. */
export type ContentParams = z.output<typeof contentParams>;

export const manifest: EngineManifest = {
  type: 'content-generation',
  files: [],
  params: contentParams as unknown as EngineManifest['params'],
  // Where no vendor has a key, the built-in simulation answers, and the result says so.
  availability: () => ({ live: true }),
};
