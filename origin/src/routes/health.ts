/** `GET /health`, which is `/api/v1/health` too, and what it does not say, for whoever runs the gateway. */

import { type OriginHealth, originHealthOf } from '@headwater/shared/gateway/health';
import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { callerOf } from './task-request.ts';

/** A store that is silent for this long counts as down, in ms. */
const SILENT_MS = 2_000;

/** Adds the routes. */
export function addHealth(app: FastifyInstance, gateway: OriginGateway): void {
  const { settings, authorise, registry, tasks } = gateway;

  const health = (): OriginHealth =>
    originHealthOf(settings, registry, Object.fromEntries(tasks.engines.all()));

  app.get('/health', async () => health());
  app.get('/api/v1/health', async () => health());

  app.get('/api/v1/health/detailed', async (request, reply) => {
    await callerOf(authorise, request);
    reply.header('cache-control', 'no-store');
    const store = await askStore(gateway);
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    return {
      ...health(),
      status: store === undefined ? 'degraded' : 'ok',
      role: tasks.role,
      uptimeSeconds: Math.round(process.uptime()),
      storage: { kind: gateway.storage, status: store === undefined ? 'down' : 'up' },
      queue: { kind: tasks.queueKind, ...(store?.waiting ?? {}) },
      nodes: { live: store?.nodes ?? null },
      workers: { max: tasks.limits.maxWorkers, ...tasks.processes() },
      memory: {
        rssBytes: rss,
        heapUsedBytes: heapUsed,
        heapTotalBytes: heapTotal,
        externalBytes: external,
      },
      eventLoop: tasks.loopDelay(),
    };
  });
}

interface StoreHealth {
  readonly waiting: { readonly queued: number; readonly delayed: number; readonly running: number };
  readonly nodes: number;
}

/** What the store says; `undefined` where it fails, or is silent. */
async function askStore({ tasks, logger }: OriginGateway): Promise<StoreHealth | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), SILENT_MS);
  });
  const asking = ask(tasks).catch((err: unknown) => {
    logger.warn({ err }, 'the task store did not answer the health check');
    return undefined;
  });
  try {
    return await Promise.race([asking, silence]);
  } finally {
    clearTimeout(timer);
  }
}

async function ask(tasks: OriginGateway['tasks']): Promise<StoreHealth> {
  const waiting = { queued: 0, delayed: 0, running: 0 };
  for (const { queued, delayed, running } of (await tasks.counts()).values()) {
    waiting.queued += queued;
    waiting.delayed += delayed;
    waiting.running += running;
  }
  return { waiting, nodes: (await tasks.nodes()).length };
}
