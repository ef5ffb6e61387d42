/** `POST /init-stream` on the origin. */

import { REPLAYED_HEADER } from '@headwater/shared/gateway/idempotency';
import { openStream } from '@headwater/shared/gateway/open-stream';
import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { headerOf } from './header.ts';
import { newStreamId } from './new-stream-id.ts';
import { sessionPortsOf } from './session-ports.ts';

/** Adds the route. */
export function addInitStream(app: FastifyInstance, gateway: OriginGateway): void {
  const { settings, authorise, accessTokens } = gateway;
  const ports = {
    ...sessionPortsOf(gateway),
    newStreamId,
    settings,
    authorise,
    accessTokens,
  };
  app.post('/init-stream', async (request, reply) => {
    const { body, streamId, replayed } = await openStream(ports, {
      contentType: headerOf(request, 'content-type'),
      bodyText: typeof request.body === 'string' ? request.body : '',
      authorization: headerOf(request, 'authorization'),
      apiKey: headerOf(request, 'x-api-key'),
      idempotencyKey: headerOf(request, 'idempotency-key'),
      requestBaseUrl: `${request.protocol}://${request.host}`,
    });
    request.log.info({ streamId, replayed }, 'stream opened');
    if (replayed) reply.header(REPLAYED_HEADER, 'true');
    return body;
  });
}
