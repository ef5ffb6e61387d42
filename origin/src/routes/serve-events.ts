/** One reader's server-sent events, of a stream or a task: from its last id to the end. */

import type { ReadWishes } from '@headwater/shared/gateway/read-stream';
import type { StreamEngine } from '@headwater/shared/stream/engine';
import { SSE_HEADERS } from '@headwater/shared/stream/frames';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createSseSubscriber } from '../adapters/sse-subscriber.ts';

/** Answers with the events, or 204 where the reader has them all. Errors: those of `decide`. */
export function serveEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  source: Pick<StreamEngine, 'decide' | 'attach' | 'detach'>,
  wishes: ReadWishes,
): FastifyReply {
  const decision = source.decide(wishes.after);
  if (decision.type === 'nothing-left') return reply.code(204).send();
  // A look, by a proxy or a link preview, is no reader: it must not start the model.
  if (request.method === 'HEAD') return reply.headers(SSE_HEADERS).send();

  reply.hijack();
  const response = reply.raw;
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    ...SSE_HEADERS,
  });
  const subscriber = createSseSubscriber(response, wishes.format);
  response.on('close', () => source.detach(subscriber));
  const afterSeq = decision.type === 'read' ? decision.afterSeq : 0;
  source.attach(subscriber, afterSeq, decision.type === 'gap');
  return reply;
}
