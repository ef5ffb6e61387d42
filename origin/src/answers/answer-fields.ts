/** What every text service says of an answer beside its text. */

import type { CostView } from '@headwater/shared/protocol/ai-chat';
import type { FinishReason, ProviderName } from '@headwater/shared/providers/contract';
import type { UsageSource } from '@headwater/shared/stream/event';
import type { Cost } from '@headwater/shared/text/cost';
import type { TextAnswer } from './answer-service.ts';

/** The fields, as the wire shows them. */
export interface AnswerFields {
  readonly model: string;
  readonly provider: ProviderName;
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly source: UsageSource;
  } | null;
  /** `null` where nobody knows the price. */
  readonly cost: CostView | null;
  readonly finish_reason: FinishReason | null;
  /** True for a kept answer, which cost nothing now. */
  readonly cached: boolean;
  /** Set where the built-in simulation answered. */
  readonly simulated?: true;
}

/** What is said of an answer; also of one that ended without token counts. */
export type AnsweredBy = Pick<TextAnswer, 'model' | 'provider' | 'finishReason' | 'cost'> & {
  readonly usage: TextAnswer['usage'] | null;
  readonly isCached?: boolean;
};

/** Names the fields for a response. */
export function answerFields(answer: AnsweredBy): AnswerFields {
  const { model, provider, usage, cost, finishReason, isCached = false } = answer;
  return {
    model,
    provider,
    usage: usage && {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      source: usage.source,
    },
    cost: cost && costView(cost),
    finish_reason: finishReason,
    cached: isCached,
    ...(provider === 'echo' ? { simulated: true } : {}),
  };
}

/** A cost, as the wire shows it. */
export function costView({ inputUsd, outputUsd, totalUsd, source }: Cost): CostView {
  return { input_usd: inputUsd, output_usd: outputUsd, total_usd: totalUsd, source };
}
