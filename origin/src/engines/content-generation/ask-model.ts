/** Asks a model once, and hears it to its end. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { FinishReason, ModelRequest } from '@headwater/shared/providers/contract';
import type { ResolvedModel } from '@headwater/shared/providers/registry';
import type { Usage } from '@headwater/shared/stream/event';
import { countTokens } from '@headwater/shared/text/count-tokens';

/** What a model said. */
export interface Answer {
  readonly text: string;
  readonly usage: Usage;
  readonly finishReason: FinishReason | null;
}

/** Longest answer, in characters: what the model goes on to say could not be kept as a result. */
const MAX_ANSWER_CHARS = 1024 * 1024;

/**
 * Asks. `heard` gets each piece as it comes. Errors: the vendor's own, with their codes;
 * `payload_too_large` for an answer without an end.
 */
export async function askModel(
  { provider, model }: ResolvedModel,
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
  if (inputTokens !== undefined && outputTokens !== undefined) {
    return { text, finishReason, usage: { inputTokens, outputTokens, source: 'provider' } };
  }
  const asked = request.messages.map(({ content }) => content).join('\n');
  const usage = {
    inputTokens: await countTokens(asked),
    outputTokens: await countTokens(text),
    source: 'tokenizer' as const,
  };
  return { text, finishReason, usage };
}
