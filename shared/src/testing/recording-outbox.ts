/** An outbox that keeps callbacks and sends none. */

import type { CallbackPayload } from '../protocol/init-stream.ts';
import type { DeliveryView, Outbox, OutgoingCallback } from '../stream/ports.ts';

/** What was handed over for delivery. */
export interface RecordingOutbox extends Outbox {
  /** Callbacks kept, in order; the same id again is not kept twice. */
  readonly kept: readonly OutgoingCallback[];
  /** Ids of every call, the repeated ones among them. */
  readonly calls: readonly string[];
  /** The body of the n-th callback. */
  payload(index?: number): CallbackPayload;
  /** Says that everything kept has come this far. */
  report(view: DeliveryView): void;
}

/** Makes an empty outbox. */
export function createRecordingOutbox(): RecordingOutbox {
  const kept: OutgoingCallback[] = [];
  const calls: string[] = [];
  let reported: DeliveryView = { status: 'pending', attempts: 0 };
  return {
    kept,
    calls,
    enqueue(callback) {
      calls.push(callback.id);
      if (kept.every(({ id }) => id !== callback.id)) kept.push(callback);
    },
    view: (id) => (kept.some((one) => one.id === id) ? reported : undefined),
    forget(id) {
      const at = kept.findIndex((one) => one.id === id);
      if (at !== -1) kept.splice(at, 1);
    },
    payload(index = 0) {
      const callback = kept[index];
      if (callback === undefined) throw new Error(`no callback ${index} was kept`);
      return JSON.parse(callback.body) as CallbackPayload;
    },
    report(view) {
      reported = view;
    },
  };
}
