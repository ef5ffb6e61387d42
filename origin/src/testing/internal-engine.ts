/** An engine whose tasks the gateway alone gives out. Tests load it by `TASK_ENGINES`. */

import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Engine, EngineManifest } from '../engines/engine-manifest.ts';

/** For `TASK_ENGINES`. */
export const INTERNAL_ENGINE = fileURLToPath(import.meta.url);

const params = z.strictObject({ word: z.string(), times: z.int().default(2) });

export const manifest: EngineManifest = {
  type: 'internal-test',
  internal: true,
  files: [],
  params: params as unknown as EngineManifest['params'],
  availability: () => ({ live: true }),
};

/** Makes the engine. */
export async function createEngine(): Promise<Engine> {
  return {
    async run(job) {
      const { word, times } = job.params as z.output<typeof params>;
      return { said: word.repeat(times) };
    },
  };
}
