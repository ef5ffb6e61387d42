/** `GET /metrics`: numbers of this process for Prometheus. */

import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { requireOperator } from './operator.ts';

/** Adds the route. */
export function addMetrics(app: FastifyInstance, { settings, tasks }: OriginGateway): void {
  app.get('/metrics', async (request, reply) => {
    await requireOperator(request, reply, settings);
    const { contentType, body } = await tasks.metricsText();
    return reply.header('content-type', contentType).header('cache-control', 'no-store').send(body);
  });
}
