/** Tells services how their answers ended, and keeps the answers that are to be kept. */

import type { Logger } from '@headwater/shared/stream/ports';
import type { StreamRequest } from '@headwater/shared/stream/session-state';
import type { StreamView } from '@headwater/shared/stream/stream-view';
import type { Cost } from '@headwater/shared/text/cost';
import type { AnswerCache } from './answer-cache.ts';
import type { AnswerEnd, AnswerOutcome, AnswerService } from './answer-service.ts';

/** What ends are told with. */
export interface AnswerEndsPorts {
  readonly logger: Logger;
  readonly cache: Pick<AnswerCache, 'keep'>;
  /** `isGiven`: the model was not asked. */
  costOf(view: StreamView, isGiven: boolean): Cost | null;
  view(streamId: string): Promise<StreamView | undefined>;
}

/** The ends of answers. */
export interface AnswerEnds extends Pick<AnswerService, 'onEnd'> {
  /** Never rejects. */
  ended(request: StreamRequest): Promise<void>;
  /** Of a stream that is over. */
  outcomeOf(view: StreamView, isGiven: boolean): AnswerOutcome;
}

type Listener = Parameters<AnswerService['onEnd']>[1];

/** Ends that wait for a listener to come, of one kind: a service may start after its sessions. */
const MAX_WAITING = 1_000;

/** True of an answer that may serve an equal request: whole, and no stand-in for a model's own. */
export function isKeepable({
  provider,
  finishReason,
}: Pick<AnswerOutcome, 'provider' | 'finishReason'>): boolean {
  return finishReason === 'stop' && provider !== 'echo';
}

/** Makes it. */
export function createAnswerEnds(ports: AnswerEndsPorts): AnswerEnds {
  const { logger, cache } = ports;
  const listeners = new Map<string, Listener>();
  const waiting = new Map<string, AnswerEnd[]>();

  async function tell(end: AnswerEnd): Promise<void> {
    const { kind } = end.purpose;
    const listener = listeners.get(kind);
    if (listener !== undefined) {
      try {
        await listener(end);
      } catch (err) {
        logger.error({ streamId: end.streamId, kind, err }, 'end of an answer was not taken');
      }
      return;
    }
    const ends = waiting.get(kind) ?? [];
    waiting.set(kind, ends);
    // Who is never told looks at the stream itself.
    if (ends.length < MAX_WAITING) ends.push(end);
  }

  function outcomeOf(view: StreamView, isGiven: boolean): AnswerOutcome {
    const { streamId, status, text, model, provider, finishReason, usage, error } = view;
    const end = { streamId, text, model, provider, finishReason, usage, error };
    const cost = ports.costOf(view, isGiven);
    // A session tells of its end alone.
    return { ...end, status: status as AnswerOutcome['status'], cost };
  }

  return {
    outcomeOf,
    async ended({ streamId, purpose, cache: kept, given }) {
      if (purpose === undefined && kept === undefined) return;
      try {
        const view = await ports.view(streamId);
        if (view === undefined) return;
        const isGiven = given !== undefined;
        if (purpose !== undefined) await tell({ ...outcomeOf(view, isGiven), purpose });
        const { status, provider, finishReason, text, model, usage } = view;
        const isWhole = status === 'completed' && isKeepable({ provider, finishReason });
        if (kept !== undefined && isWhole && usage !== null) {
          await cache.keep(kept.key, { text, model, usage }, kept.ttlMs);
        }
      } catch (err) {
        // The stream has ended well, and can still be looked at.
        logger.warn({ streamId, err }, 'end of an answer could not be told');
      }
    },
    onEnd(kind, listener) {
      listeners.set(kind, listener);
      const ends = waiting.get(kind) ?? [];
      waiting.delete(kind);
      for (const end of ends) void tell(end);
    },
  };
}
