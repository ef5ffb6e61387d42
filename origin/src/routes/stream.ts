/** `/stream/{id}` on the origin: read, look at, stop. */

import { readWishes, streamGone } from '@headwater/shared/gateway/read-stream';
import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { headerOf } from './header.ts';
import { serveEvents } from './serve-events.ts';
import { findSession, queryOf, type StreamParams } from './stream-access.ts';

/** Adds the routes. */
export function addStream(app: FastifyInstance, gateway: OriginGateway): void {
  app.get<StreamParams>('/stream/:id', async (request, reply) => {
    const session = await findSession(gateway, request);
    if (session.status === 'expired') throw streamGone();
    const wishes = readWishes(queryOf(request), headerOf(request, 'last-event-id'));
    return serveEvents(request, reply, session, wishes);
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
