/** `POST /init-stream` on the edge. */

import { REPLAYED_HEADER } from '@headwater/shared/gateway/idempotency';
import { openStream } from '@headwater/shared/gateway/open-stream';
import { readBodyText } from '@headwater/shared/gateway/read-body';
import { Hono } from 'hono';
import type { EdgeContext } from '../middleware/request-context.ts';
import { sessionPortsOf } from './session-ports.ts';

export const initStreamRoute = new Hono<EdgeContext>().post('/init-stream', async (c) => {
  const gateway = c.get('gateway');
  const { settings, authorise, accessTokens } = gateway;
  const { body, streamId, replayed } = await openStream(
    { ...sessionPortsOf(c.env, gateway), settings, authorise, accessTokens },
    {
      contentType: c.req.header('content-type') ?? null,
      bodyText: await readBodyText(c.req.raw),
      authorization: c.req.header('authorization') ?? null,
      apiKey: c.req.header('x-api-key') ?? null,
      idempotencyKey: c.req.header('idempotency-key') ?? null,
      requestBaseUrl: new URL(c.req.url).origin,
    },
  );
  c.get('logger').info({ streamId, replayed }, 'stream opened');
  return c.json(body, 200, replayed ? { [REPLAYED_HEADER]: 'true' } : {});
});
