/** `/stream/{id}` on the origin: read, look at, stop. */

import { readWishes, streamGone } from '@headwater/shared/gateway/read-stream';
import { SSE_HEADERS } from '@headwater/shared/stream/frames';
import type { FastifyInstance } from 'fastify';
import { createSseSubscriber } from '../adapters/sse-subscriber.ts';
import type { OriginGateway } from '../gateway.ts';
import { headerOf } from './header.ts';
import { findSession, queryOf, type StreamParams } from './stream-access.ts';

/** Adds the routes. */
export function addStream(app: FastifyInstance, gateway: OriginGateway): void {
  app.get<StreamParams>('/stream/:id', async (request, reply) => {
    const session = await findSession(gateway, request);
    if (session.status === 'expired') throw streamGone();
    const wishes = readWishes(queryOf(request), headerOf(request, 'last-event-id'));
    const decision = session.decide(wishes.after);
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
    response.on('close', () => session.detach(subscriber));
    const afterSeq = decision.type === 'read' ? decision.afterSeq : 0;
    session.attach(subscriber, afterSeq, decision.type === 'gap');
    return reply;
  });

  app.get<StreamParams>('/stream/:id/state', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    return (await findSession(gateway, request)).view();
  });

  app.delete<StreamParams>('/stream/:id', async (request) => {
    const session = await findSession(gateway, request);
    await session.cancel();
    return session.view();
  });
}
