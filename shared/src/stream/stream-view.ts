/** What `GET /stream/{id}/state` shows. */

import type { WireError } from '../protocol/errors.ts';
import type { FinishReason, ProviderName } from '../providers/contract.ts';
import type { StreamStatus, Usage } from './event.ts';
import type { DeliveryView } from './ports.ts';
import type { SessionState } from './session.ts';

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
  /** Number of the last event that readers may have. */
  readonly lastEventSeq: number;
  readonly callback: DeliveryView | null;
}

/** Puts the view together. */
export function viewOf(
  state: SessionState,
  text: string,
  lastEventSeq: number,
  callback: DeliveryView | undefined,
): StreamView {
  const { request } = state;
  return {
    streamId: request.streamId,
    status: state.status,
    text,
    model: request.modelName,
    provider: request.provider,
    usage: state.usage ?? null,
    finishReason: state.finishReason ?? null,
    error: state.error ?? null,
    lastEventSeq,
    callback: callback ?? null,
  };
}
