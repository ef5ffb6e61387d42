/** Where a host hands the events of a chat's session. */

import { GatewayError, type WireError } from '../protocol/errors.ts';
import type { StreamEvent } from '../stream/event.ts';

/** Takes the events of one session, in order. */
export interface ChatSink {
  /** Returns the bytes its caller has not taken yet. Nothing counts after the final event. */
  take(event: StreamEvent): number;
  /** The session has let this reader go: a fault, where it comes before the final event. */
  closed(error?: WireError): void;
}

/** An event of the frame format `ws`; its id means nothing here. */
export function parseFrame(frame: string): StreamEvent {
  return JSON.parse(frame) as StreamEvent;
}

/** Why an event is no good end. A chat that was stopped has no whole answer. */
export function failureOf(event: StreamEvent): WireError | undefined {
  if (event.type === 'error') return { code: event.code, message: event.message };
  if (event.type !== 'done' || event.status === 'completed') return undefined;
  return { code: 'unavailable', message: 'The answer was stopped before its end.' };
}

/** What is said of a session that was lost without a word. */
export const BROKEN_OFF: WireError = {
  code: 'unavailable',
  message: 'The gateway lost the answer before its end. Send the request again.',
};

/** The error to throw for one that came over the wire. */
export function thrownOf({ code, message, details }: WireError): GatewayError {
  return new GatewayError(code, message, details === undefined ? {} : { details });
}
