/** Turns events into the bytes that a reader sees. Pure text; a host adds the transport. */

import { type EventBatch, formatEventId, type StreamEvent } from './event.ts';

/** `sse-text` is seed 002's shape; `sse-json` the typed one; `ws` is `sse-json`'s JSON as frames. */
export type FrameFormat = 'sse-text' | 'sse-json' | 'ws';

/** Opens every SSE answer: how long a browser waits before it reconnects. */
export const SSE_PREAMBLE = 'retry: 1000\n\n';

/** Sent after {@link HEARTBEAT_MS} of silence, so that no proxy takes the line for dead. */
export const SSE_HEARTBEAT = ': keep-alive\n\n';

/** Silence after which a comment is sent, in ms. */
export const HEARTBEAT_MS = 15_000;

/** Headers of every SSE answer; `x-accel-buffering` keeps nginx from holding tokens back. */
export const SSE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/**
 * Text as `data:` lines. A parser joins them with LF, so every byte comes back, except CR: an
 * event stream has no way to carry one (WHATWG HTML §9.2.5 ends a line at CR, LF and CRLF), so
 * CRLF and CR arrive as LF. `sse-json` and `ws` carry CR unharmed.
 */
function dataLines(text: string): string {
  if (!text.includes('\n') && !text.includes('\r')) return `data: ${text}\n`;
  return `data: ${text.replace(/\r\n|\r|\n/g, '\ndata: ')}\n`;
}

function textBody(event: StreamEvent): string {
  switch (event.type) {
    case 'delta':
      return dataLines(event.text);
    case 'done':
      return 'data: [DONE]\n';
    case 'tool_call':
    case 'restart':
    case 'progress':
    case 'note':
    case 'usage':
    case 'error': {
      const { type, ...fields } = event;
      return `event: ${type}\ndata: ${JSON.stringify(fields)}\n`;
    }
  }
}

/** On a socket `id` is the event's, so that a tool call's own id has another name there. */
function socketFrame(id: string, event: StreamEvent): string {
  if (event.type !== 'tool_call' || event.id === undefined) {
    return JSON.stringify({ id, ...event });
  }
  const { id: callId, ...piece } = event;
  return JSON.stringify({ id, ...piece, callId });
}

/**
 * Frames of a batch from its `skip`-th event on: one string for SSE, one string an event for
 * WebSocket.
 */
export function encodeFrames(batch: EventBatch, format: FrameFormat, skip = 0): string[] {
  const { epoch, firstSeq, events } = batch;
  if (format === 'ws') {
    const frames: string[] = [];
    for (let at = skip; at < events.length; at += 1) {
      const event = events[at];
      if (event === undefined) continue;
      frames.push(socketFrame(formatEventId(epoch, firstSeq + at), event));
    }
    return frames;
  }
  const prefix = `id: ${epoch.toString(36)}-`;
  let out = '';
  for (let at = skip; at < events.length; at += 1) {
    const event = events[at];
    if (event === undefined) continue;
    const body = format === 'sse-text' ? textBody(event) : `data: ${JSON.stringify(event)}\n`;
    out += `${prefix}${firstSeq + at}\n${body}\n`;
  }
  return out === '' ? [] : [out];
}

/** A word to one reader that is not part of the stream: no id, so nothing is skipped by it. */
function encodeAside(type: string, fields: object, format: FrameFormat): string {
  const json = JSON.stringify(format === 'sse-text' ? fields : { type, ...fields });
  if (format === 'ws') return json;
  return format === 'sse-text' ? `event: ${type}\ndata: ${json}\n\n` : `data: ${json}\n\n`;
}

/** An error that ends a reader without being part of the stream. */
export function encodeReaderError(
  error: { code: string; message: string },
  format: FrameFormat,
): string {
  return encodeAside('error', error, format);
}

/** Tells a reader whose last id the stream does not know that it starts again from the beginning. */
export function encodeReaderRestart(model: string, format: FrameFormat): string {
  return encodeAside('restart', { reason: 'not_found', model }, format);
}
