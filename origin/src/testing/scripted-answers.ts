/** Answers whose every end a test decides. */

import type { GatewayError } from '@headwater/shared/protocol/errors';
import type { ResolvedModel } from '@headwater/shared/providers/registry';
import type { AnswerEnd, AnswerService, AnswerWish } from '../answers/answer-service.ts';

/** The service, and the strings it hangs on. */
export interface ScriptedAnswers {
  readonly service: Pick<AnswerService, 'open' | 'endOf' | 'onEnd' | 'targetsOf'>;
  /** What was asked for, by stream. */
  readonly wishes: ReadonlyMap<string, AnswerWish>;
  /** The stream that was opened last. */
  readonly newest: string;
  /** Ends a stream, and tells its listener unless `isTold` is false. */
  end(streamId: string, end: Partial<AnswerEnd>, isTold?: boolean): Promise<void>;
  /** The stream is unknown from then on. */
  forget(streamId: string): void;
  /** The next wish is refused. */
  refuse(error: GatewayError): void;
  /** Calls this before the next wish is taken. */
  beforeOpen(work: () => Promise<void>): void;
}

/** Makes it. `prefix` keeps the streams of two of them apart; `targets` is what every wish means. */
export function createScriptedAnswers(
  prefix: string,
  targets: readonly ResolvedModel[],
): ScriptedAnswers {
  const wishes = new Map<string, AnswerWish>();
  const ends = new Map<string, AnswerEnd | 'live'>();
  const listeners = new Map<string, (end: AnswerEnd) => Promise<void>>();
  let refusal: GatewayError | undefined;
  let before: (() => Promise<void>) | undefined;

  return {
    wishes,
    get newest() {
      return [...wishes.keys()].at(-1) ?? '';
    },
    service: {
      async open(wish) {
        const work = before;
        before = undefined;
        await work?.();
        if (refusal !== undefined) {
          const thrown = refusal;
          refusal = undefined;
          throw thrown;
        }
        const streamId = `${prefix}-${wishes.size + 1}`;
        wishes.set(streamId, wish);
        ends.set(streamId, 'live');
        return {
          streamId,
          streamUrl: `http://test/stream/${streamId}`,
          isCached: false,
          session: {
            decide: () => ({ type: 'nothing-left' }),
            attach: () => undefined,
            detach: () => undefined,
          },
        };
      },
      targetsOf: async () => targets,
      endOf: async (streamId) => ends.get(streamId),
      onEnd: (kind, listener) => void listeners.set(kind, listener),
    },
    async end(streamId, given, isTold = true) {
      const purpose = wishes.get(streamId)?.purpose;
      if (purpose === undefined) throw new Error('there is no such stream');
      const end: AnswerEnd = {
        purpose,
        streamId,
        status: 'completed',
        text: 'answer',
        model: 'gpt-4',
        provider: 'openai',
        finishReason: 'stop',
        usage: { inputTokens: 3, outputTokens: 2, source: 'provider' },
        cost: null,
        error: null,
        ...given,
      };
      ends.set(streamId, end);
      if (isTold) await listeners.get(purpose.kind)?.(end);
    },
    forget: (streamId) => void ends.delete(streamId),
    refuse(error) {
      refusal = error;
    },
    beforeOpen(work) {
      before = work;
    },
  };
}
