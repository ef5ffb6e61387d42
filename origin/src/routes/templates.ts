/** `/api/v1/templates`: what scripts are written after. */

import { requireJson } from '@headwater/shared/gateway/require-json';
import { parseJsonObject } from '@headwater/shared/protocol/init-stream';
import { readTemplate, templateQuerySchema } from '@headwater/shared/protocol/scripts';
import { readRequest, requestFaults } from '@headwater/shared/protocol/tasks';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ScriptGateway } from './generate.ts';
import { headerOf } from './header.ts';
import { callerOf, type TaskParams } from './task-request.ts';

const pathOf = (id: string): string => `/api/v1/templates/${id}`;

function bodyOf(request: FastifyRequest): Record<string, unknown> {
  requireJson(headerOf(request, 'content-type'));
  return parseJsonObject(typeof request.body === 'string' ? request.body : '');
}

/** Adds the routes. */
export function addTemplateRoutes(
  app: FastifyInstance,
  gateway: Pick<ScriptGateway, 'authorise' | 'scripts'>,
): void {
  const { authorise } = gateway;
  const { templates } = gateway.scripts;

  app.get('/api/v1/templates', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    const { script_type } = readRequest(templateQuerySchema, request.query);
    reply.header('cache-control', 'no-store');
    return { templates: await templates.list(owner, script_type) };
  });

  app.get<TaskParams>('/api/v1/templates/:id', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    reply.header('cache-control', 'no-store');
    return await templates.find(owner, request.params.id);
  });

  app.post('/api/v1/templates', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    const made = await templates.create(owner, readTemplate(bodyOf(request)));
    return reply.code(201).header('location', pathOf(made.id)).send(made);
  });

  app.put<TaskParams>('/api/v1/templates/:id', async (request) => {
    const owner = await callerOf(authorise, request);
    const { id } = request.params;
    const given = readTemplate(bodyOf(request));
    if (given.id !== undefined && given.id !== id) {
      throw requestFaults([{ path: 'id', message: 'is not that of the path.' }]);
    }
    return await templates.replace(owner, id, given.body);
  });

  app.delete<TaskParams>('/api/v1/templates/:id', async (request, reply) => {
    await templates.remove(await callerOf(authorise, request), request.params.id);
    return reply.code(204).send();
  });
}
