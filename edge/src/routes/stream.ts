/** `/stream/{id}` on the edge: read, look at, stop. */

import { readWishes, requireAccess } from '@headwater/shared/gateway/read-stream';
import { requireSocketOrigin } from '@headwater/shared/gateway/socket-origin';
import { GatewayError, type WireError } from '@headwater/shared/protocol/errors';
import { formatEventId } from '@headwater/shared/stream/event';
import { SSE_HEADERS } from '@headwater/shared/stream/frames';
import { type Context, Hono } from 'hono';
import { CLIENT_SOCKET_PATH } from '../adapters/client-socket.ts';
import { sseResponse } from '../adapters/sse-response.ts';
import type { EdgeContext } from '../middleware/request-context.ts';
import type { SessionAnswer, SessionObject } from '../objects/session-object.ts';

/** The stream's object, for a request that holds its token. */
async function sessionOf(
  c: Context<EdgeContext>,
  streamId: string,
): Promise<DurableObjectStub<SessionObject>> {
  await requireAccess(c.get('gateway').accessTokens, {
    streamId,
    query: new URL(c.req.url).searchParams,
    authorization: c.req.header('authorization') ?? null,
    cookie: c.req.header('cookie') ?? null,
  });
  const { SESSIONS } = c.env;
  try {
    return SESSIONS.get(SESSIONS.idFromString(streamId));
  } catch (cause) {
    // A good token of another host that shares the secret: its streams do not live here.
    throw new GatewayError('not_found', 'This gateway has no such stream.', { cause });
  }
}

/** The object's refusal: a wire error as JSON. */
async function refusalOf(response: Response): Promise<GatewayError> {
  const { code, message, details } = await response.json<WireError>();
  return new GatewayError(code, message, details === undefined ? {} : { details });
}

function unwrap<T>(answer: SessionAnswer<T>): T {
  if (answer.ok) return answer.value;
  throw new GatewayError(answer.error.code, answer.error.message);
}

export const streamRoute = new Hono<EdgeContext>()
  .get('/stream/:id', async (c) => {
    const session = await sessionOf(c, c.req.param('id'));
    const query = new URL(c.req.url).searchParams;
    const wishes = readWishes(query, c.req.header('last-event-id') ?? null);
    // A look, by a proxy or a link preview, is no reader: it must not start the model.
    if (c.req.raw.method === 'HEAD') return new Response(null, { headers: SSE_HEADERS });
    const isSocket = c.req.header('upgrade')?.toLowerCase() === 'websocket';
    if (isSocket) {
      requireSocketOrigin(
        {
          query,
          authorization: c.req.header('authorization') ?? null,
          origin: c.req.header('origin') ?? null,
          host: new URL(c.req.url).host,
        },
        c.get('gateway').settings,
      );
    }
    const attach = new URL(isSocket ? CLIENT_SOCKET_PATH : '/', 'https://session/');
    if (!isSocket) attach.searchParams.set('format', wishes.format);
    if (wishes.after !== undefined) {
      attach.searchParams.set('after', formatEventId(wishes.after.epoch, wishes.after.seq));
    }
    const response = await session.fetch(attach, { headers: { upgrade: 'websocket' } });
    if (response.status === 204) return new Response(null, { status: 204 });
    const { webSocket } = response;
    if (webSocket === null) throw await refusalOf(response);
    // The runtime joins the two connections, and the Worker leaves.
    if (isSocket) return new Response(null, { status: 101, webSocket });
    return sseResponse(webSocket);
  })
  .get('/stream/:id/state', async (c) => {
    const session = await sessionOf(c, c.req.param('id'));
    return c.json(unwrap(await session.view()), 200, { 'cache-control': 'no-store' });
  })
  .delete('/stream/:id', async (c) => {
    const session = await sessionOf(c, c.req.param('id'));
    return c.json(unwrap(await session.cancel()));
  });
