/** What a WebSocket reader may say, and how often. */

import * as z from 'zod';
import { GatewayError } from '../protocol/errors.ts';
import { type EventPosition, parseEventId } from './event.ts';

/** Size of a message, in bytes of UTF-8: an event id and its envelope are below 100. */
export const MAX_SOCKET_MESSAGE_BYTES = 4 * 1024;

/** Messages that a reader may send in any second. */
export const MAX_SOCKET_MESSAGES_PER_SECOND = 20;

/** The answer to `{"type":"ping"}`: a page cannot send the protocol's own pings. */
export const SOCKET_PONG = '{"type":"pong"}';

/** A message of a reader. `resume` without a usable id starts again from the first event. */
export type SocketMessage =
  | { readonly type: 'resume'; readonly after: EventPosition | undefined }
  | { readonly type: 'cancel' }
  | { readonly type: 'ping' };

const SCHEMA = z.discriminatedUnion('type', [
  z.object({ type: z.literal('resume'), after: z.string().optional() }),
  z.object({ type: z.literal('cancel') }),
  z.object({ type: z.literal('ping') }),
]);

const BAD_MESSAGE =
  'A message is a JSON object in a text frame: {"type":"resume","after":id}, {"type":"cancel"} or {"type":"ping"}.';

/** Reads a message; `undefined` stands for a binary one. Errors: `validation_failed`. */
export function parseSocketMessage(text: string | undefined): SocketMessage {
  if (text === undefined) throw new GatewayError('validation_failed', BAD_MESSAGE);
  if (isTooLong(text)) {
    throw new GatewayError(
      'validation_failed',
      `A message has at most ${MAX_SOCKET_MESSAGE_BYTES} bytes.`,
    );
  }
  const parsed = SCHEMA.safeParse(parseJson(text));
  if (!parsed.success) throw new GatewayError('validation_failed', BAD_MESSAGE);
  const message = parsed.data;
  if (message.type !== 'resume') return message;
  return { type: 'resume', after: parseEventId(message.after ?? '') };
}

/** A character is one to three bytes for each of its UTF-16 units. */
function isTooLong(text: string): boolean {
  if (text.length > MAX_SOCKET_MESSAGE_BYTES) return true;
  if (3 * text.length <= MAX_SOCKET_MESSAGE_BYTES) return false;
  return new TextEncoder().encode(text).byteLength > MAX_SOCKET_MESSAGE_BYTES;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses it, in the same words as any other bad message.
    return undefined;
  }
}

/**
 * Counts messages: false for one that is more than {@link MAX_SOCKET_MESSAGES_PER_SECOND} allow in
 * the second that ends with it.
 */
export function createMessageGate(nowMs: () => number): () => boolean {
  const recentMs: number[] = [];
  return () => {
    const now = nowMs();
    recentMs.push(now);
    const [oldest] = recentMs;
    if (oldest === undefined || recentMs.length <= MAX_SOCKET_MESSAGES_PER_SECOND) return true;
    recentMs.shift();
    return now - oldest >= 1000;
  };
}
