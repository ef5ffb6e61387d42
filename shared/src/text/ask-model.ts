/** Asks models once, and hears the one that answers to its end. */

import { GatewayError } from '../protocol/errors.ts';
import type { FinishReason, ModelRequest, ProviderName } from '../providers/contract.ts';
import type { ResolvedModel } from '../providers/registry.ts';
import type { Usage } from '../stream/event.ts';
import { countTokens } from './count-tokens.ts';

/** What a model said. */
export interface Answer {
  readonly text: string;
  /** The model that answered, as it was asked for. */
  readonly model: string;
  readonly provider: ProviderName;
  readonly usage: Usage;
  readonly finishReason: FinishReason | null;
}

/** Longest answer, in characters: what the model goes on to say could not be kept as a result. */
const MAX_ANSWER_CHARS = 1024 * 1024;

/**
 * Asks the first of `targets`; the next one takes over when one fails before its first word. `heard`
 * gets each piece as it comes, and cannot unhear it: with it a failure after the first word is
 * thrown; without it the next model begins anew.
 *
 * Errors: those of the vendor that was asked last, with their codes; `payload_too_large` for an
 * answer without an end, `unavailable` without a target, and the reason of `signal`.
 */
export async function askModels(
  targets: readonly ResolvedModel[],
  request: Omit<ModelRequest, 'model'>,
  signal: AbortSignal,
  heard?: (text: string) => void,
): Promise<Answer> {
  let failure: unknown = new GatewayError('unavailable', 'There is no model to ask.');
  for (const target of targets) {
    let hasSpoken = false;
    try {
      return await askModel(target, request, signal, (text) => {
        hasSpoken = true;
        heard?.(text);
      });
    } catch (thrown) {
      signal.throwIfAborted();
      if (hasSpoken && heard !== undefined) throw thrown;
      failure = thrown;
    }
  }
  throw failure;
}

async function askModel(
  { provider, model, name }: ResolvedModel,
  request: Omit<ModelRequest, 'model'>,
  signal: AbortSignal,
  heard: (text: string) => void,
): Promise<Answer> {
  let text = '';
  let finishReason: FinishReason | null = null;
  let inputTokens: number | undefined;
  let outputTokens: number | undefined;
  for await (const events of provider.stream({ ...request, model }, signal)) {
    for (const event of events) {
      if (event.type === 'text') {
        text += event.text;
        heard(event.text);
      } else if (event.type === 'finish') {
        finishReason = event.reason;
      } else if (event.type === 'usage') {
        inputTokens = event.inputTokens ?? inputTokens;
        outputTokens = event.outputTokens ?? outputTokens;
      }
    }
    if (text.length > MAX_ANSWER_CHARS) {
      throw new GatewayError('payload_too_large', 'The answer is longer than 1 MiB.');
    }
  }
  signal.throwIfAborted();
  const answer = { text, model: name, provider: provider.name, finishReason };
  if (inputTokens !== undefined && outputTokens !== undefined) {
    return { ...answer, usage: { inputTokens, outputTokens, source: 'provider' } };
  }
  const asked = request.messages.map(({ content }) => content).join('\n');
  const usage = {
    inputTokens: inputTokens ?? (await countTokens(asked)),
    outputTokens: await countTokens(text),
    source: 'tokenizer' as const,
  };
  return { ...answer, usage };
}
