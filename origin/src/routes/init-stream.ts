/** `POST /init-stream` on the origin. */

import { randomUUID } from 'node:crypto';
import { openStream } from '@headwater/shared/gateway/open-stream';
import { rateLimited } from '@headwater/shared/gateway/rate-limited';
import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { headerOf } from './header.ts';

/** Adds the route. */
export function addInitStream(app: FastifyInstance, gateway: OriginGateway): void {
  const { settings, authorise, accessTokens, registry, sessions, limits } = gateway;
  app.post('/init-stream', async (request) => {
    const { streamId, ok, streamUrl } = await openStream(
      {
        settings,
        authorise,
        accessTokens,
        registry,
        nowMs: Date.now,
        newStreamId: randomUUID,
        async admit(subject) {
          const waitSeconds = limits.admit(subject);
          if (waitSeconds > 0) throw rateLimited(waitSeconds);
        },
        create: sessions.create,
      },
      {
        contentType: headerOf(request, 'content-type'),
        bodyText: typeof request.body === 'string' ? request.body : '',
        authorization: headerOf(request, 'authorization'),
        apiKey: headerOf(request, 'x-api-key'),
        requestBaseUrl: `${request.protocol}://${request.host}`,
      },
    );
    request.log.info({ streamId }, 'stream opened');
    return { ok, streamUrl };
  });
}
