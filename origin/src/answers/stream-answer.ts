/** A POST that answers with the model's words as they come. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { serveEvents } from '../routes/serve-events.ts';
import type { OpenedAnswer } from './answer-service.ts';

/** Names where a reader that was cut goes on reading. */
const STREAM_URL_HEADER = 'x-stream-url';

/**
 * Serves an opened answer to the caller on the line, as JSON events in an SSE body. The header
 * `X-Stream-Url` lets it come back by GET. Errors: those of `decide`.
 */
export function streamAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  opened: OpenedAnswer,
): FastifyReply {
  request.log.info({ streamId: opened.streamId, cached: opened.isCached }, 'answer opened');
  reply.header(STREAM_URL_HEADER, opened.streamUrl);
  return serveEvents(request, reply, opened.session, { format: 'sse-json' });
}
