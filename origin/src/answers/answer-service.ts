/** Whole and streamed answers of models, for the services that are built on them. */

import type { WireError } from '@headwater/shared/protocol/errors';
import type {
  FinishReason,
  ModelMessage,
  ProviderName,
} from '@headwater/shared/providers/contract';
import type { ResolvedModel } from '@headwater/shared/providers/registry';
import type { StreamEvent, Usage } from '@headwater/shared/stream/event';
import type { StreamView } from '@headwater/shared/stream/stream-view';
import type { TextRules } from '@headwater/shared/stream/text-filter';
import type { Cost } from '@headwater/shared/text/cost';
import type { ModelPolicy } from '@headwater/shared/text/model-policy';
import type { SessionHandle } from '../sessions/session-registry.ts';
import type { ModelNames } from './name-models.ts';

/** What an answer is for; kept with its session, so that whoever ends it knows whom to tell. */
interface AnswerPurpose {
  /** The service, such as `chat-turn`. */
  readonly kind: string;
  /** What the service knows it by. */
  readonly id: string;
}

/** What a caller wants of a model. */
export interface AnswerWish {
  /** Who asks: limits count against it, and kept answers are its own. */
  readonly subject: string;
  readonly messages: readonly ModelMessage[];
  /** `undefined`: that of the policy, else the default model. */
  readonly model?: string | undefined;
  readonly policy?: ModelPolicy | undefined;
  readonly fallbackModels?: readonly string[] | undefined;
  readonly temperature?: number | undefined;
  /** In tokens. Default 2048. */
  readonly maxTokens?: number | undefined;
  /** An equal wish of the same subject may be answered with an answer that is at most so old. */
  readonly cacheSeconds?: number | undefined;
  /** The listener of `onEnd` for this kind hears of the end. Such answers go on without a reader. */
  readonly purpose?: AnswerPurpose | undefined;
  /** Shown to every reader of a stream before the model's first word. */
  readonly preface?: readonly StreamEvent[] | undefined;
  /** What the model says passes these before anybody sees it. */
  readonly textRules?: TextRules | undefined;
  /** Said in place of the model, which is not asked. */
  readonly given?: string | undefined;
}

/** An answer that is whole. */
export interface TextAnswer {
  readonly text: string;
  /** As the caller, the policy or the default named it. */
  readonly model: string;
  readonly provider: ProviderName;
  readonly finishReason: FinishReason | null;
  readonly usage: Usage;
  /** `null` where nobody knows the price. */
  readonly cost: Cost | null;
  readonly isCached: boolean;
}

/** An answer that can be read while it is written. */
export interface OpenedAnswer {
  readonly streamId: string;
  /** Reads the same stream again, or goes on with it, by its own token. */
  readonly streamUrl: string;
  readonly session: Pick<SessionHandle, 'decide' | 'attach' | 'detach'>;
  /** True where it is a kept answer. */
  readonly isCached: boolean;
}

/** How an answer with a purpose ended; also after a restart, and on whichever instance ended it. */
export interface AnswerEnd {
  readonly purpose: AnswerPurpose;
  readonly streamId: string;
  readonly status: 'completed' | 'failed' | 'cancelled' | 'expired';
  readonly text: string;
  readonly model: string;
  readonly provider: ProviderName;
  readonly finishReason: FinishReason | null;
  readonly usage: Usage | null;
  readonly cost: Cost | null;
  readonly error: WireError | null;
}

/** An end, as whoever knows the purpose is told. */
export type AnswerOutcome = Omit<AnswerEnd, 'purpose'>;

/** Asks models, through the same sessions as every stream. */
export interface AnswerService {
  /**
   * One whole answer. The model stops when `signal` aborts. Errors: those of admission
   * (`payload_too_large`, `validation_failed`, `unavailable`, `rate_limited`) and the vendor's own.
   */
  ask(wish: AnswerWish, signal: AbortSignal): Promise<TextAnswer>;
  /**
   * Begins an answer that readers follow; `requestBaseUrl` is where the request came to. Errors: those
   * of admission.
   */
  open(wish: AnswerWish, requestBaseUrl: string): Promise<OpenedAnswer>;
  /** The names of the models that a wish means. */
  modelsOf: ModelNames['modelsOf'];
  /**
   * The models that a wish means, the first one first, for `askModels`: calls beside an answer, which
   * count against nobody. Errors: those of a registry.
   */
  targetsOf(
    wish: Pick<AnswerWish, 'model' | 'policy' | 'fallbackModels'>,
  ): Promise<readonly ResolvedModel[]>;
  /** The end of a stream that `onEnd` may have missed; `undefined` where it is not over or not known. */
  endOf(streamId: string): Promise<AnswerOutcome | 'live' | undefined>;
  /** What a stream's answer has cost; `null` before its end, and where nobody knows the price. */
  costOf(view: Pick<StreamView, 'model' | 'usage'>): Cost | null;
  /** Names who is told of the ends of a kind. It may be told more than once, and MUST NOT throw. */
  onEnd(kind: string, listener: (end: AnswerEnd) => Promise<void>): void;
}
