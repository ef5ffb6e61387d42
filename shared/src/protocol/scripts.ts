/** `/api/v1/generate` and `/api/v1/templates`: scripts, and what they are written after. */

import * as z from 'zod';
import type { Json, TaskStatus } from '../tasks/task.ts';
import {
  MAX_LENGTH,
  MAX_VALUE_CHARS,
  MIN_LENGTH,
  plain,
  type TemplateBody,
  templateBody,
  templateId,
} from '../text/scripts/template.ts';
import { answerOptions } from './answer-options.ts';
import type { WireError } from './errors.ts';
import { readRequest } from './tasks.ts';

/** Entries of a page where the caller does not say, and at most. */
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** Ids go into the path of the project service: nothing that a path could take for its own. */
const projectId = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,127}$/,
    'must be 1–128 of letters, digits and _ . : @ -, and begin with a letter, a digit or _.',
  );

const { model, policy, fallback_models, temperature, stream } = answerOptions;

/** Body of `POST /api/v1/generate`; unknown fields are left alone. */
export const scriptRequestSchema = z.object({
  project_id: projectId,
  episode_id: projectId.optional(),
  script_type: templateId,
  title: plain(300),
  description: plain(50_000),
  /** Words. Default: the template's. */
  length_target: z.int().min(MIN_LENGTH).max(MAX_LENGTH).optional(),
  /** Default: the built-in one of the type, else the caller's newest of it. */
  template_id: templateId.optional(),
  variables: z.record(z.string().max(64), z.string().max(MAX_VALUE_CHARS)).default({}),
  language: plain(64).optional(),
  tone: plain(200).optional(),
  model,
  policy,
  fallback_models,
  temperature,
  stream,
  callback_url: z.string().min(1).optional(),
});

/** A valid request. */
export type ScriptRequest = z.output<typeof scriptRequestSchema>;

/** Part of the caller's list. */
export const generationPageSchema = z.object({
  project_id: projectId.optional(),
  after: z.string().min(1).max(100).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
});

/** A valid page. */
export type GenerationPage = z.output<typeof generationPageSchema>;

/** Query of `GET /api/v1/templates`. */
export const templateQuerySchema = z.object({ script_type: templateId.optional() });

/** A template that a caller keeps. */
export interface TemplateRequest {
  /** Default: a new one. */
  readonly id?: string;
  readonly body: TemplateBody;
}

/** Reads the body of `POST /api/v1/templates`. Errors: `validation_failed` with every faulty field. */
export function readTemplate(given: Record<string, unknown>): TemplateRequest {
  const { id, ...body } = given;
  const read = readRequest(templateBody, body);
  if (id === undefined) return { body: read };
  return { ...readRequest(z.object({ id: templateId }), { id }), body: read };
}

/** A script without its text: what a list shows. */
export interface GenerationSummary {
  readonly generation_id: string;
  readonly project_id: string;
  readonly episode_id: string | null;
  readonly script_type: string;
  readonly title: string;
  readonly length_target: number | null;
  readonly template: { readonly id: string; readonly version: number };
  readonly status: TaskStatus;
  /** 0–1, of the current attempt. */
  readonly progress: number;
  /** The part that is written. */
  readonly stage: string | null;
  readonly word_count: number | null;
  readonly warnings: readonly string[];
  readonly error: WireError | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

/** A script as `GET /api/v1/generate/{id}` shows it: once it succeeded, with the fields of its result. */
export interface GenerationView extends GenerationSummary {
  /** The whole script; `null` until it succeeded. */
  readonly text: string | null;
  /** What is written so far, or was until it ended; `null` once it succeeded. */
  readonly partial_text: string | null;
  readonly [field: string]: Json | WireError;
}

/** A page of them. */
export interface GenerationListView {
  /** Newest first. */
  readonly generations: readonly GenerationSummary[];
  /** For `after` of the next page; `null` on the last one. */
  readonly next_after: string | null;
}
