/** Writes content with the models that are set up. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { ModelMessage } from '@headwater/shared/providers/contract';
import type { ResolvedModel } from '@headwater/shared/providers/registry';
import type { Json } from '@headwater/shared/tasks/task';
import { askModels } from '@headwater/shared/text/ask-model';
import { createFirstWords } from '@headwater/shared/text/first-words';
import type { GivenPrices } from '@headwater/shared/text/model-prices';
import { countWords } from '@headwater/shared/text/scripts/count-words';
import { createModelNames } from '../../answers/name-models.ts';
import { createOriginProviders } from '../../providers.ts';
import { totalsOf } from '../answer-totals.ts';
import { endEarly } from '../end-early.ts';
import {
  type Engine,
  type EngineEnvironment,
  type EngineJob,
  MAX_CHECKPOINT_BYTES,
} from '../engine-manifest.ts';
import { type AnswerSchema, readAnswerSchema } from './answer-schema.ts';
import { finishGuide, guideSchema } from './guide.ts';
import { type ContentParams, manifest } from './manifest.ts';
import { expectedChars, maxTokensOf, writePrompt, writeRepair } from './prompt.ts';
import {
  type HeardAnswer,
  isLong,
  type LongPorts,
  readLongCheckpoint,
  writeLong,
} from './write-long.ts';

export { manifest };

/** Progress that an answer can make by its length; the end is the vendor's to tell. */
const MOST_PROGRESS = 0.95;

/** The gateway itself says of a vendor that it cannot list its models. */
const SAYS_NOTHING = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** What an attempt needs. */
interface Task {
  readonly job: EngineJob;
  readonly params: ContentParams;
  /** The model that is asked, then those that take over. */
  readonly targets: readonly ResolvedModel[];
  readonly prices: GivenPrices;
}

/** Makes the engine. */
export async function createEngine({ settings, answers }: EngineEnvironment): Promise<Engine> {
  const words = createFirstWords();
  const registry = createOriginProviders(settings, words);
  const names = createModelNames({ registry, settings: answers, words, logger: SAYS_NOTHING });

  async function targetsOf(params: ContentParams): Promise<readonly ResolvedModel[]> {
    const { model, policy, fallback_models } = params;
    const named = await names.modelsOf({
      ...(model === undefined ? {} : { model }),
      ...(policy === undefined ? {} : { policy }),
      ...(fallback_models === undefined ? {} : { fallbackModels: fallback_models }),
    });
    return [named.model, ...named.fallbackModels].map((name) => registry.resolve(name));
  }

  return {
    async run(job) {
      const params = job.params as unknown as ContentParams;
      const targets = await targetsOf(params);
      const task = { job, params, targets, prices: answers.prices };
      // The simulation has no more to say than it has said.
      if (isLong(params) && targets[0]?.provider.name !== 'echo') return await generateLong(task);
      return await generate(task);
    },
  };
}

async function generate(task: Task): Promise<Json> {
  const { job, params, targets } = task;
  const schema = schemaOf(params);
  const messages = writePrompt(params, schema);
  const ask = (turns: readonly ModelMessage[], stage: string) =>
    askModels(targets, requestOf(params, turns), job.signal, listener(params, job, stage, schema));
  const first = await ask(messages, 'writing');
  if (schema === undefined) return resultOf(task, textOf(first.text), [first]);
  const read = schema.read(first.text);
  if ('data' in read) return resultOf(task, dataOf(params, read.data), [first]);
  const second = await ask(writeRepair(messages, first.text, read.fault), 'repairing');
  const again = schema.read(second.text);
  if ('data' in again) return resultOf(task, dataOf(params, again.data), [first, second]);
  throw new GatewayError(
    'processing_failed',
    'The model gave no answer that is valid by the schema, also when it was asked again.',
  );
}

async function generateLong(task: Task): Promise<Json> {
  const { job, params, targets } = task;
  const ports: LongPorts = {
    ask(messages, maxTokens, heard) {
      const request = { ...requestOf(params, messages), maxTokens };
      if (heard === undefined) return askModels(targets, request, job.signal);
      let isWanted = true;
      const open = targets.map((target) => endEarly(target, () => isWanted));
      return askModels(open, request, job.signal, (text) => {
        isWanted = heard(text) && isWanted;
      });
    },
    text: (text) => job.text(text),
    progress: (fraction, stage) => job.progress(fraction * MOST_PROGRESS, stage),
    keep(checkpoint) {
      const json = checkpoint as unknown as Json;
      // What is too large would fail the attempt, and another one can begin anew.
      if (Buffer.byteLength(JSON.stringify(json)) <= MAX_CHECKPOINT_BYTES) job.keep(json);
    },
  };
  const length = params.length ?? 0;
  const kept = readLongCheckpoint(job.checkpoint);
  const { text, answers } = await writeLong(params, length, ports, kept);
  return resultOf(task, textOf(text), answers);
}

function schemaOf({ schema, kind, format, steps }: ContentParams): AnswerSchema | undefined {
  const asked = schema ?? (kind === 'guide' && format === 'json' ? guideSchema(steps) : undefined);
  if (asked === undefined) return undefined;
  const read = readAnswerSchema(asked);
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

type Content = { readonly text: string; readonly word_count: number } | { readonly data: Json };

const textOf = (text: string): Content => ({ text, word_count: countWords(text) });

function dataOf({ schema, steps }: ContentParams, data: Json): Content {
  return { data: schema === undefined ? finishGuide(data, steps) : data };
}

function resultOf({ prices }: Task, content: Content, answers: readonly HeardAnswer[]): Json {
  const last = answers.at(-1);
  return {
    ...content,
    model: last?.model ?? null,
    provider: last?.provider ?? null,
    ...totalsOf(answers, prices),
    finish_reason: last?.finishReason ?? null,
    ...(last?.provider === 'echo' ? { simulated: true } : {}),
  };
}
