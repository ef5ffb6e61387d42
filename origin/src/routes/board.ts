/** `/admin/queues`: the pages of bull-board, to look at and not to touch. */

import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import {
  errorBody,
  errorHeaders,
  GatewayError,
  toGatewayError,
} from '@headwater/shared/protocol/errors';
import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { requireOperator } from './operator.ts';

/** Where the pages are. */
const BOARD_PATH = '/admin/queues';

/** Adds the pages, or on an origin alone the reason why there are none. */
export async function addBoard(app: FastifyInstance, gateway: OriginGateway): Promise<void> {
  const { settings, tasks, logger } = gateway;
  const queues = tasks.boardQueues();
  await app.register(
    async (scope) => {
      scope.addHook('onRequest', async (request, reply) => {
        reply.header('cache-control', 'no-store');
        try {
          await requireOperator(request, reply, settings);
        } catch (thrown) {
          // The pages have an error handler of their own, which knows nothing of our errors.
          const error = toGatewayError(thrown);
          return reply
            .code(error.status)
            .headers(errorHeaders(error))
            .send(errorBody(error, request.id));
        }
        return undefined;
      });
      if (queues.length === 0) {
        const refuse = async () => {
          throw new GatewayError(
            'unavailable',
            'The queue of this origin is in-process, and has no board: set REDIS_URL for one.',
          );
        };
        scope.get('/', refuse);
        scope.get('/*', refuse);
        return;
      }
      const adapter = new FastifyAdapter();
      createBullBoard({
        // Tickets carry no truth: to retry or remove one would change no task.
        queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
        serverAdapter: adapter,
        options: { uiConfig: { boardTitle: 'Headwater' } },
      });
      adapter.setBasePath(BOARD_PATH);
      // The pages' own would show a stack while Node runs in development.
      adapter.setErrorHandler((thrown) => {
        logger.warn({ err: thrown }, 'the board failed');
        const { message } = toGatewayError(thrown);
        return { status: 500, body: { error: 'The queue cannot be shown.', message } };
      });
      await scope.register(adapter.registerPlugin());
    },
    { prefix: BOARD_PATH },
  );
}
