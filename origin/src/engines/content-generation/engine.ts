/** Writes content with the models that are set up. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { ModelMessage } from '@headwater/shared/providers/contract';
import type { ProviderRegistry, ResolvedModel } from '@headwater/shared/providers/registry';
import type { UsageSource } from '@headwater/shared/stream/event';
import type { Json } from '@headwater/shared/tasks/task';
import { createOriginProviders } from '../../providers.ts';
import type { Engine, EngineEnvironment, EngineJob } from '../engine-manifest.ts';
import { type AnswerSchema, readAnswerSchema } from './answer-schema.ts';
import { type Answer, askModel } from './ask-model.ts';
import { type ContentParams, manifest } from './manifest.ts';
import { expectedChars, maxTokensOf, writePrompt, writeRepair } from './prompt.ts';

export { manifest };

/** Progress that an answer can make by its length; the end is the vendor's to tell. */
const MOST_PROGRESS = 0.95;

/** Makes the engine. */
export async function createEngine({ settings }: EngineEnvironment): Promise<Engine> {
  const registry = createOriginProviders(settings);
  return { run: (job) => generate(registry, job) };
}

async function generate(registry: ProviderRegistry, job: EngineJob): Promise<Json> {
  const params = job.params as unknown as ContentParams;
  const model = registry.resolve(params.model);
  const schema = schemaOf(params);
  const messages = writePrompt(params, schema);
  const ask = (turns: readonly ModelMessage[], stage: string) =>
    askModel(model, requestOf(params, turns), job.signal, listener(params, job, stage, schema));
  const first = await ask(messages, 'writing');
  if (schema === undefined) return resultOf(model, { text: first.text }, [first]);
  const read = schema.read(first.text);
  if ('data' in read) return resultOf(model, { data: read.data }, [first]);
  const second = await ask(writeRepair(messages, first.text, read.fault), 'repairing');
  const again = schema.read(second.text);
  if ('data' in again) return resultOf(model, { data: again.data }, [first, second]);
  throw new GatewayError(
    'processing_failed',
    'The model gave no answer that is valid by the schema, also when it was asked again.',
  );
}

function schemaOf({ schema }: ContentParams): AnswerSchema | undefined {
  if (schema === undefined) return undefined;
  const read = readAnswerSchema(schema);
  if ('fault' in read) throw new GatewayError('validation_failed', `schema ${read.fault}`);
  return read;
}

function requestOf(params: ContentParams, messages: readonly ModelMessage[]) {
  const { temperature } = params;
  const maxTokens = maxTokensOf(params);
  return { messages, maxTokens, ...(temperature === undefined ? {} : { temperature }) };
}

/** JSON is shown once it is valid, and never in pieces that a repair would void. */
function listener(
  params: ContentParams,
  job: EngineJob,
  stage: string,
  schema: AnswerSchema | undefined,
): (text: string) => void {
  const expected = expectedChars(params);
  let chars = 0;
  job.progress(0, stage);
  return (text) => {
    chars += text.length;
    if (schema === undefined) job.text(text);
    job.progress(Math.min(MOST_PROGRESS, chars / expected), stage);
  };
}

function resultOf(
  { provider, name }: ResolvedModel,
  content: { readonly text: string } | { readonly data: Json },
  answers: readonly Answer[],
): Json {
  const source: UsageSource = answers.every(({ usage }) => usage.source === 'provider')
    ? 'provider'
    : 'tokenizer';
  return {
    ...content,
    model: name,
    provider: provider.name,
    usage: {
      input_tokens: sum(answers.map(({ usage }) => usage.inputTokens)),
      output_tokens: sum(answers.map(({ usage }) => usage.outputTokens)),
      source,
    },
    finish_reason: answers.at(-1)?.finishReason ?? null,
    ...(provider.name === 'echo' ? { simulated: true } : {}),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
