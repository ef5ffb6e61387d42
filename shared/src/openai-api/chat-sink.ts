/** Where a host hands the events of a chat's session. */

import { GatewayError, type WireError } from '../protocol/errors.ts';
import type { StreamEvent } from '../stream/event.ts';
import type { FrameFormat } from '../stream/frames.ts';

/** Takes the events of one session, in order. */
export interface ChatSink {
  /** Returns the bytes its caller has not taken yet. Nothing counts after the final event. */
  take(event: StreamEvent): number;
  /** The session has let this reader go: a fault, where it comes before the final event. */
  closed(error?: WireError): void;
}

/** The frame format of a chat's one reader: events as JSON, their ids apart. */
export const CHAT_FORMAT = 'sse-json' satisfies FrameFormat;

const DATA = 'data: ';

/** The events of a frame of {@link CHAT_FORMAT}; JSON has no line breaks, so each has one line. */
export function parseFrame(frame: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  for (const line of frame.split('\n')) {
    if (line.startsWith(DATA)) events.push(JSON.parse(line.slice(DATA.length)) as StreamEvent);
  }
  return events;
}

/** Hands a frame to a sink. Returns the bytes that the sink's caller has not taken yet. */
export function takeFrame(sink: ChatSink, frame: string): number {
  let untaken = 0;
  for (const event of parseFrame(frame)) untaken = sink.take(event);
  return untaken;
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
