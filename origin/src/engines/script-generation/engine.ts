/** Writes scripts with the models that are set up. */

import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import type { Json } from '@headwater/shared/tasks/task';
import { askModels } from '@headwater/shared/text/ask-model';
import type { GivenPrices } from '@headwater/shared/text/model-prices';
import {
  readCheckpoint,
  type ScriptCheckpoint,
} from '@headwater/shared/text/scripts/script-checkpoint';
import {
  type ModelUsage,
  type WrittenScript,
  writeScript,
} from '@headwater/shared/text/scripts/write-script';
import { createOriginProviders } from '../../providers.ts';
import { totalsOf } from '../answer-totals.ts';
import { endEarly } from '../end-early.ts';
import {
  type Engine,
  type EngineEnvironment,
  type EngineJob,
  MAX_CHECKPOINT_BYTES,
} from '../engine-manifest.ts';
import { manifest, type ScriptParams } from './manifest.ts';

export { manifest };

/** Makes the engine. */
export async function createEngine({ settings, answers }: EngineEnvironment): Promise<Engine> {
  const registry = createOriginProviders(settings);
  return { run: (job) => write(registry, answers.prices, job) };
}

async function write(
  registry: Pick<ProviderRegistry, 'resolve'>,
  prices: GivenPrices,
  job: EngineJob,
): Promise<Json> {
  const params = job.params as unknown as ScriptParams;
  const targets = params.models.map((name) => registry.resolve(name));
  const temperature = params.temperature === undefined ? {} : { temperature: params.temperature };
  const script = await writeScript(
    params.brief,
    {
      hasOutline: targets[0]?.provider.name !== 'echo',
      ask(messages, maxTokens, heard) {
        const request = { messages, maxTokens, ...temperature };
        if (heard === undefined) return askModels(targets, request, job.signal);
        let isWanted = true;
        const open = targets.map((target) => endEarly(target, () => isWanted));
        return askModels(open, request, job.signal, (text) => {
          isWanted = heard(text) && isWanted;
        });
      },
      text: (text) => job.text(text),
      progress: (fraction, stage) => job.progress(fraction, stage),
      keep: (checkpoint) => keep(job, checkpoint),
    },
    readCheckpoint(job.checkpoint),
  );
  return resultOf(params, script, prices);
}

/** What is too large to be kept would fail the attempt, and another one can begin anew. */
function keep(job: EngineJob, checkpoint: ScriptCheckpoint): void {
  const json = checkpoint as unknown as Json;
  if (Buffer.byteLength(JSON.stringify(json)) <= MAX_CHECKPOINT_BYTES) job.keep(json);
}

function resultOf({ brief }: ScriptParams, script: WrittenScript, prices: GivenPrices): Json {
  const main = mostUsed(script.usage);
  return {
    text: script.text,
    title: brief.title,
    word_count: script.words,
    length_target: brief.lengthTarget,
    parts: script.parts.map(({ name, words, start, end }) => ({
      ...{ name, word_count: words, start, end },
    })),
    outline: script.outline.map(({ title, beats }) => ({ title, beats: [...beats] })),
    template: { id: brief.template.id, version: brief.template.version },
    model: main?.model ?? null,
    provider: main?.provider ?? null,
    ...totalsOf(
      script.usage.map((usage) => ({ model: usage.model, usage })),
      prices,
    ),
    finish_reason: script.finishReason,
    warnings: warningsOf(script),
    ...(main?.provider === 'echo' ? { simulated: true } : {}),
  };
}

/** The model that wrote the most of it. */
function mostUsed(usage: readonly ModelUsage[]): ModelUsage | undefined {
  return usage.toSorted((one, other) => other.outputTokens - one.outputTokens)[0];
}

function warningsOf({ usage }: WrittenScript): string[] {
  if (usage.length < 2) return [];
  return [`Several models wrote it: ${usage.map(({ model }) => model).join(', ')}.`];
}
