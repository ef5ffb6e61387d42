/** `/api/v1/tasks`: submit, look at, wait for, cancel. */

import { REPLAYED_HEADER } from '@headwater/shared/gateway/idempotency';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { readPreferWait } from '../tasks/prefer-wait.ts';
import type { SubmitRequest } from '../tasks/submit-tasks.ts';
import { type Found, isFinished } from '../tasks/task-service.ts';
import { headerOf } from './header.ts';
import { callerOf, inboundOf, leavingOf, requireOwnPage, type TaskParams } from './task-request.ts';

/** Where a task, or a batch, is found. */
const pathOf = (id: string): string => `/api/v1/tasks/${id}`;

/** Adds the routes. Their bodies are streams, which no bound of the app holds: the reader has its own. */
export async function addTasks(app: FastifyInstance, gateway: OriginGateway): Promise<void> {
  const { settings, authorise, tasks } = gateway;
  const { intake, service } = tasks;

  async function submitRequestOf(request: FastifyRequest): Promise<SubmitRequest> {
    requireOwnPage(request, settings);
    return {
      owner: await callerOf(authorise, request),
      idempotencyKey: headerOf(request, 'idempotency-key'),
      inbound: inboundOf(request),
    };
  }

  /** Waits as long as the caller would, and says so where that was long enough. */
  async function waitAsPreferred(
    found: Found,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Found> {
    const seconds = readPreferWait(headerOf(request, 'prefer'));
    if (seconds === undefined) return found;
    const newest = await service.wait(found, seconds * 1000, leavingOf(reply));
    if (isFinished(newest)) reply.header('preference-applied', `wait=${seconds}`);
    return newest;
  }

  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    scope.post('/api/v1/tasks/batch', async (request, reply) => {
      const {
        kept,
        replayed,
        tasks: accepted,
      } = await intake.submitBatch(await submitRequestOf(request));
      request.log.info({ batchId: kept.id, replayed }, 'batch accepted');
      reply.header('location', pathOf(kept.id));
      if (replayed) reply.header(REPLAYED_HEADER, 'true');
      const found: Found =
        accepted === undefined
          ? await service.findBatch(kept)
          : { kind: 'batch', batch: kept, records: accepted };
      const newest = await waitAsPreferred(found, request, reply);
      const isWaitedFor = reply.hasHeader('preference-applied');
      return reply.code(isWaitedFor ? 200 : 202).send(await service.view(newest));
    });

    scope.post<{ Params: { type: string } }>('/api/v1/tasks/:type', async (request, reply) => {
      const { kept: record, replayed } = await intake.submit(
        request.params.type,
        await submitRequestOf(request),
      );
      const { id, type, createdAtMs } = record.spec;
      request.log.info({ taskId: id, type, replayed }, 'task accepted');
      reply.header('location', pathOf(id));
      if (replayed) reply.header(REPLAYED_HEADER, 'true');
      const newest = await waitAsPreferred({ kind: 'task', record }, request, reply);
      if (reply.hasHeader('preference-applied')) return await service.view(newest);
      const { status } = newest.kind === 'task' ? newest.record.state : record.state;
      const created_at = new Date(createdAtMs).toISOString();
      return reply.code(202).send({ task_id: id, status, type, created_at });
    });
  });

  app.get<TaskParams>('/api/v1/tasks/:id', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const found = await service.find(await callerOf(authorise, request), request.params.id);
    return await service.view(await waitAsPreferred(found, request, reply));
  });

  app.delete<TaskParams>('/api/v1/tasks/:id', async (request) => {
    const owner = await callerOf(authorise, request);
    return await service.view(await service.cancel(owner, request.params.id));
  });
}
