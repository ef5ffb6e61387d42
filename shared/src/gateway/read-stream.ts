/** `GET /stream/{id}`: what the reader asks for, and what it may have. The same on both hosts. */

import { GatewayError } from '../protocol/errors.ts';
import type { AccessTokens } from '../security/access-token.ts';
import { accessTokenFrom } from '../security/read-token.ts';
import { type EventPosition, parseEventId } from '../stream/event.ts';
import type { FrameFormat } from '../stream/frames.ts';

/** The parts of a request for one stream that matter. */
export interface StreamAccess {
  readonly streamId: string;
  readonly query: URLSearchParams;
  readonly authorization: string | null;
  readonly cookie: string | null;
}

/** Lets through who holds this stream's token. Errors: `unauthorized`, `forbidden`. */
export async function requireAccess(tokens: AccessTokens, access: StreamAccess): Promise<void> {
  const token = accessTokenFrom({
    query: access.query.get('access_token'),
    authorization: access.authorization,
    cookie: access.cookie,
  });
  if (token === undefined) {
    throw new GatewayError('unauthorized', 'Add the `access_token` of the stream URL.');
  }
  await tokens.verify(token, access.streamId);
}

/** A reader's wishes. */
export interface ReadWishes {
  readonly format: Extract<FrameFormat, 'sse-text' | 'sse-json'>;
  /** What it has read already; absent for a first visit. */
  readonly after?: EventPosition;
}

/**
 * Reads `?format=`, `Last-Event-ID` and `?last_event_id=`; the header, which a browser sets
 * itself, goes before the query. An id that is not one of ours stands for "nothing read yet".
 *
 * Errors: `validation_failed` for an unknown format.
 */
export function readWishes(query: URLSearchParams, lastEventId: string | null): ReadWishes {
  const asked = query.get('format') ?? 'text';
  if (asked !== 'text' && asked !== 'json') {
    throw new GatewayError('validation_failed', 'Unknown `format`: use `text` or `json`.');
  }
  const id = lastEventId || query.get('last_event_id') || '';
  const after = parseEventId(id);
  const format = asked === 'json' ? 'sse-json' : 'sse-text';
  return after === undefined ? { format } : { format, after };
}

/** A token was good, but its stream is not there any more: it expired, or its retention ended. */
export function streamGone(): GatewayError {
  return new GatewayError(
    'expired',
    'This stream is gone: nobody connected in time, or its retention is over. Open a new one.',
  );
}
