/** `GET /api/v1/tasks/{id}/events`: how a task goes on, as a stream. */

import { readWishes } from '@headwater/shared/gateway/read-stream';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { SSE_HEADERS } from '@headwater/shared/stream/frames';
import type { FastifyInstance } from 'fastify';
import { createSseSubscriber } from '../adapters/sse-subscriber.ts';
import type { OriginGateway } from '../gateway.ts';
import { headerOf } from './header.ts';
import { queryOf } from './stream-access.ts';
import { callerOf, type TaskParams } from './task-request.ts';

/** Adds the route. */
export function addTaskEvents(app: FastifyInstance, { authorise, tasks }: OriginGateway): void {
  const { service, followers } = tasks;
  app.get<TaskParams>('/api/v1/tasks/:id/events', async (request, reply) => {
    const { id } = request.params;
    const found = await service.find(await callerOf(authorise, request), id);
    if (found.kind === 'batch') {
      throw new GatewayError(
        'validation_failed',
        'A batch has no events: read those of its tasks.',
      );
    }
    const wishes = readWishes(queryOf(request), headerOf(request, 'last-event-id'));
    const follower = await followers.open(id);
    if (follower === undefined) {
      throw new GatewayError('expired', 'This task is gone: its retention is over.');
    }
    const decision = follower.decide(wishes.after);
    if (decision.type === 'nothing-left') return reply.code(204).send();
    if (request.method === 'HEAD') return reply.headers(SSE_HEADERS).send();

    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      ...SSE_HEADERS,
    });
    const subscriber = createSseSubscriber(response, wishes.format);
    response.on('close', () => follower.detach(subscriber));
    const afterSeq = decision.type === 'read' ? decision.afterSeq : 0;
    follower.attach(subscriber, afterSeq, decision.type === 'gap');
    return reply;
  });
}
