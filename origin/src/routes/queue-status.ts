/** `GET /api/v1/queue/status`: how much waits, runs and is over. */

import type { TaskCounts } from '@headwater/shared/tasks/ports';
import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { callerOf } from './task-request.ts';

/** Numbers of one type as the wire has them. */
function wireCounts(counts: TaskCounts) {
  const { queued, delayed, running, succeeded, failed, canceled, timedOut } = counts;
  return { queued, delayed, running, succeeded, failed, canceled, timed_out: timedOut };
}

const NONE: TaskCounts = {
  queued: 0,
  delayed: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  canceled: 0,
  timedOut: 0,
};

function add(a: TaskCounts, b: TaskCounts): TaskCounts {
  return {
    queued: a.queued + b.queued,
    delayed: a.delayed + b.delayed,
    running: a.running + b.running,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    canceled: a.canceled + b.canceled,
    timedOut: a.timedOut + b.timedOut,
  };
}

/** Adds the route. */
export function addQueueStatus(app: FastifyInstance, { authorise, tasks }: OriginGateway): void {
  app.get('/api/v1/queue/status', async (request, reply) => {
    await callerOf(authorise, request);
    reply.header('cache-control', 'no-store');
    const counts = await tasks.counts();
    const byType = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
    const { maxQueued, maxQueuedPerSubject } = tasks.limits;
    return {
      queue: tasks.queueKind,
      ...wireCounts([...counts.values()].reduce(add, NONE)),
      types: Object.fromEntries(byType.map(([type, of]) => [type, wireCounts(of)])),
      nodes: (await tasks.nodes()).length,
      max_queued: maxQueued,
      max_queued_per_subject: maxQueuedPerSubject,
    };
  });
}
