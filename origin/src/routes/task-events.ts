/** `GET /api/v1/tasks/{id}/events`: how a task goes on, as a stream. */

import { readWishes } from '@headwater/shared/gateway/read-stream';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { TaskFollowers } from '@headwater/shared/tasks/task-followers';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { headerOf } from './header.ts';
import { serveEvents } from './serve-events.ts';
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
    return await serveTaskEvents(request, reply, followers, id);
  });
}

/** Answers with the events of a task that the caller may read. Errors: `expired`, those of `decide`. */
export async function serveTaskEvents(
  request: FastifyRequest<TaskParams>,
  reply: FastifyReply,
  followers: Pick<TaskFollowers, 'open'>,
  taskId: string,
): Promise<FastifyReply> {
  const wishes = readWishes(queryOf(request), headerOf(request, 'last-event-id'));
  const follower = await followers.open(taskId);
  if (follower === undefined) {
    throw new GatewayError('expired', 'This task is gone: its retention is over.');
  }
  return serveEvents(request, reply, follower, wishes);
}
