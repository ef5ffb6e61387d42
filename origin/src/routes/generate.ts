/** `/api/v1/generate`: scripts, asked for, looked at, followed and stopped. */

import { REPLAYED_HEADER } from '@headwater/shared/gateway/idempotency';
import { requireJson } from '@headwater/shared/gateway/require-json';
import { parseJsonObject } from '@headwater/shared/protocol/init-stream';
import { generationPageSchema, scriptRequestSchema } from '@headwater/shared/protocol/scripts';
import { readRequest } from '@headwater/shared/protocol/tasks';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import type { Scripts } from '../scripts/create-scripts.ts';
import { taskIdOf } from '../scripts/generation-record.ts';
import { baseUrlOf } from './base-url.ts';
import { headerOf } from './header.ts';
import { queryOf } from './stream-access.ts';
import { serveTaskEvents } from './task-events.ts';
import { callerOf, requireOwnPage, type TaskParams } from './task-request.ts';

/** What the routes need of the gateway. */
export type ScriptGateway = Pick<OriginGateway, 'authorise' | 'settings' | 'accessTokens'> & {
  readonly tasks: Pick<OriginGateway['tasks'], 'followers'>;
  readonly scripts: Scripts;
};

/** How long the token of a `stream_url` opens the events, in ms. */
const TOKEN_MS = 24 * 3_600_000;

const pathOf = (id: string): string => `/api/v1/generate/${id}`;

/** Adds the routes. */
export function addGenerateRoutes(app: FastifyInstance, gateway: ScriptGateway): void {
  const { authorise, settings, accessTokens, tasks } = gateway;
  const { generations } = gateway.scripts;

  app.post('/api/v1/generate', async (request, reply) => {
    requireOwnPage(request, settings);
    const owner = await callerOf(authorise, request);
    requireJson(headerOf(request, 'content-type'));
    const bodyText = typeof request.body === 'string' ? request.body : '';
    const asked = readRequest(scriptRequestSchema, parseJsonObject(bodyText));
    const key = headerOf(request, 'idempotency-key');
    const { generation, record, replayed } = await generations.submit(owner, asked, key);
    const { id, createdAtMs, templateId, warnings, outcome } = generation;
    request.log.info({ generationId: id, replayed }, 'script accepted');
    if (replayed) reply.header(REPLAYED_HEADER, 'true');
    const eventsUrl = `${await baseUrlOf(request, settings)}${pathOf(id)}/events`;
    const token =
      asked.stream === true ? await accessTokens.issue(id, Date.now() + TOKEN_MS) : undefined;
    reply.header('cache-control', 'no-store').header('location', pathOf(id));
    return reply.code(202).send({
      generation_id: id,
      status: outcome?.status ?? record?.state.status ?? 'queued',
      created_at: new Date(createdAtMs).toISOString(),
      template_id: templateId,
      warnings,
      events_url: eventsUrl,
      ...(token === undefined ? {} : { stream_url: `${eventsUrl}?access_token=${token}` }),
    });
  });

  app.get('/api/v1/generate', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    reply.header('cache-control', 'no-store');
    return await generations.list(owner, readRequest(generationPageSchema, request.query));
  });

  app.get<TaskParams>('/api/v1/generate/:id', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    reply.header('cache-control', 'no-store');
    return await generations.view(await generations.find(owner, request.params.id));
  });

  app.delete<TaskParams>('/api/v1/generate/:id', async (request) => {
    const owner = await callerOf(authorise, request);
    return await generations.cancel(owner, request.params.id);
  });

  /** `EventSource` sends no headers: the token of the `stream_url` stands for its caller. */
  async function requireReader(request: FastifyRequest<TaskParams>): Promise<void> {
    const { id } = request.params;
    const token = queryOf(request).get('access_token');
    if (token !== null && token !== '') return await accessTokens.verify(token, id);
    await generations.find(await callerOf(authorise, request), id);
  }

  app.get<TaskParams>('/api/v1/generate/:id/events', async (request, reply) => {
    await requireReader(request);
    return await serveTaskEvents(request, reply, tasks.followers, taskIdOf(request.params.id));
  });
}
