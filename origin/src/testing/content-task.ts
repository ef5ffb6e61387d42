/** Runs content generation in the test's own process, with scripted vendors. */

import { parseOriginSettings, parseSettings } from '@headwater/shared/protocol/settings';
import type { Json } from '@headwater/shared/tasks/task';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { createEngine } from '../engines/content-generation/engine.ts';
import { contentParams } from '../engines/content-generation/manifest.ts';

/** The least settings of it: no vendor. */
export const CONTENT_ENV = {
  JWT_SECRET: 'a secret of thirty-two bytes or more',
  UPSTREAM_MAX_RETRIES: '0',
};

/** The settings for a vendor that is all three. */
export function contentVendorEnv(vendor: ScriptedVendor): Record<string, string> {
  return {
    ...CONTENT_ENV,
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: vendor.openaiBaseUrl,
    ANTHROPIC_API_KEY: 'sk-ant',
    ANTHROPIC_BASE_URL: vendor.anthropicBaseUrl,
    OLLAMA_HOST: vendor.ollamaHost,
  };
}

/** How an attempt is run. */
export interface ContentRun {
  readonly env: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly checkpoint?: Json;
  /** Called with each checkpoint; throwing ends the attempt. */
  kept?(checkpoint: Json): void;
}

/** Runs one attempt. */
export async function generateContent(
  params: { readonly [name: string]: unknown },
  { env, signal = new AbortController().signal, checkpoint, kept }: ContentRun,
) {
  const engine = await createEngine({ settings: parseSettings(env), ...parseOriginSettings(env) });
  const texts: string[] = [];
  const bars: (readonly [number, string | undefined])[] = [];
  const result = await engine.run({
    params: contentParams.parse(params) as { readonly [name: string]: Json },
    files: [],
    checkpoint,
    signal,
    progress: (fraction, stage) => void bars.push([fraction, stage]),
    text: (text) => void texts.push(text),
    keep: (value) => kept?.(value),
  });
  return { result: result as { readonly [name: string]: Json }, texts, bars };
}
