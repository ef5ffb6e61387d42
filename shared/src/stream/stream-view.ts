/** What `GET /stream/{id}/state` shows. */

import type { WireError } from '../protocol/errors.ts';
import type { FinishReason, ProviderName } from '../providers/contract.ts';
import { type EventPosition, formatEventId, type StreamStatus, type Usage } from './event.ts';
import type { DeliveryView } from './ports.ts';
import { type SessionState, targetOf } from './session-state.ts';

/** A stream as its token's holder sees it. */
export interface StreamView {
  readonly streamId: string;
  readonly status: StreamStatus;
  /** What the model has said so far. */
  readonly text: string;
  readonly model: string;
  readonly provider: ProviderName;
  readonly usage: Usage | null;
  readonly finishReason: FinishReason | null;
  readonly error: WireError | null;
  /** Id of the last event that readers may have; `null` before the first. */
  readonly lastEventId: string | null;
  readonly lastEventSeq: number;
  readonly callback: DeliveryView | null;
}

/** Puts the view together. */
export function viewOf(
  state: SessionState,
  text: string,
  shown: EventPosition,
  callback: DeliveryView | undefined,
): StreamView {
  const { request } = state;
  const target = targetOf(state);
  return {
    streamId: request.streamId,
    status: state.status,
    text,
    model: target.name,
    provider: target.provider,
    usage: state.usage ?? null,
    finishReason: state.finishReason ?? null,
    error: state.error ?? null,
    lastEventId: shown.seq === 0 ? null : formatEventId(shown.epoch, shown.seq),
    lastEventSeq: shown.seq,
    callback: callback ?? null,
  };
}
