/** `/stream/{id}` on the origin: read, look at, stop. */

import { readWishes, streamGone } from '@headwater/shared/gateway/read-stream';
import type { CostView } from '@headwater/shared/protocol/ai-chat';
import type { StreamView } from '@headwater/shared/stream/stream-view';
import type { FastifyInstance } from 'fastify';
import { costView } from '../answers/answer-fields.ts';
import type { OriginGateway } from '../gateway.ts';
import { headerOf } from './header.ts';
import { serveEvents } from './serve-events.ts';
import { findSession, queryOf, type StreamParams } from './stream-access.ts';

/** A stream has one name under each: the AI services' callers find all of theirs under `/ai`. */
const BASES = ['/stream', '/ai/stream'] as const;

/** Adds the routes. */
export function addStream(app: FastifyInstance, gateway: OriginGateway): void {
  for (const base of BASES) addStreamAt(app, gateway, base);
}

function addStreamAt(
  app: FastifyInstance,
  gateway: OriginGateway,
  base: (typeof BASES)[number],
): void {
  /** The text services say of every answer what it cost. */
  function shown(view: StreamView): StreamView | (StreamView & { cost: CostView | null }) {
    if (base === '/stream') return view;
    const cost = gateway.answers.costOf(view);
    return { ...view, cost: cost && costView(cost) };
  }

  app.get<StreamParams>(`${base}/:id`, async (request, reply) => {
    const session = await findSession(gateway, request);
    if (session.status === 'expired') throw streamGone();
    const wishes = readWishes(queryOf(request), headerOf(request, 'last-event-id'));
    return serveEvents(request, reply, session, wishes);
  });

  app.get<StreamParams>(`${base}/:id/state`, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    return shown(await (await findSession(gateway, request)).view());
  });

  app.delete<StreamParams>(`${base}/:id`, async (request) => {
    const session = await findSession(gateway, request);
    await session.cancel();
    return shown(await session.view());
  });
}
