/** What `script-generation` is given: a script's brief, and the models that write it. */

import type { ScriptBrief } from '@headwater/shared/text/scripts/script-prompt';
import { MAX_LENGTH, MIN_LENGTH } from '@headwater/shared/text/scripts/template';
import * as z from 'zod';
import type { EngineManifest } from '../engine-manifest.ts';

/** Of its tasks. */
export const SCRIPT_TASK = 'script-generation';

const details = z.strictObject({
  title: z.string().optional(),
  description: z.string().optional(),
});

/** Schema of the parameters, which the gateway itself makes. */
export const scriptParams = z.strictObject({
  /** In order: the first is asked, the next takes over. */
  models: z.array(z.string()).min(1),
  temperature: z.number().optional(),
  brief: z.strictObject({
    scriptType: z.string(),
    title: z.string(),
    description: z.string(),
    language: z.string().optional(),
    tone: z.string().optional(),
    lengthTarget: z.int().min(MIN_LENGTH).max(MAX_LENGTH),
    template: z.strictObject({
      id: z.string(),
      version: z.int(),
      instructions: z.string(),
      parts: z
        .array(z.strictObject({ name: z.string(), purpose: z.string(), share: z.number().gt(0) }))
        .min(1),
    }),
    project: details.optional(),
    episode: details.optional(),
  }),
});

/** Parameters, checked. */
export interface ScriptParams {
  readonly models: readonly string[];
  readonly temperature?: number;
  readonly brief: ScriptBrief;
}

export const manifest: EngineManifest = {
  type: SCRIPT_TASK,
  internal: true,
  files: [],
  params: scriptParams as unknown as EngineManifest['params'],
  // Where no vendor has a key, the built-in simulation answers, and the result says so.
  availability: () => ({ live: true }),
};
