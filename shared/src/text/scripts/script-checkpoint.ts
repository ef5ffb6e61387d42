/** What an attempt at a script keeps for the one after it. */

import * as z from 'zod';
import type { ProviderName } from '../../providers/contract.ts';
import { type Outline, outlineSchema } from './outline.ts';
import type { ModelUsage } from './write-script.ts';

/** What was paid for already. */
export interface ScriptCheckpoint {
  readonly outline: Outline;
  /** Text of each call that is finished, in the order of the plan, with what joins it to the one before. */
  readonly sections: readonly string[];
  /** Calls that were made. */
  readonly calls: number;
  readonly usage: readonly ModelUsage[];
}

const schema = z.object({
  outline: outlineSchema,
  sections: z.array(z.string()),
  calls: z.int().min(0),
  usage: z.array(
    z.object({
      model: z.string(),
      provider: z.string().transform((name) => name as ProviderName),
      inputTokens: z.number(),
      outputTokens: z.number(),
      source: z.enum(['provider', 'tokenizer']),
    }),
  ),
});

/** Reads what was kept; `undefined` where it is of another release: the script begins anew. */
export function readCheckpoint(kept: unknown): ScriptCheckpoint | undefined {
  const read = schema.safeParse(kept);
  return read.success ? read.data : undefined;
}
