/** OpenAI's API on the origin: `POST /v1/chat/completions`, `GET /v1/models`. */

import { apiErrorBody, apiErrorHeaders } from '@headwater/shared/openai-api/api-error';
import { authoriseClient } from '@headwater/shared/openai-api/authorise-client';
import { createCompletionCollector } from '@headwater/shared/openai-api/chat-completion';
import {
  BROKEN_OFF,
  CHAT_FORMAT,
  type ChatSink,
  thrownOf,
} from '@headwater/shared/openai-api/chat-sink';
import { createChatStream, explain } from '@headwater/shared/openai-api/chat-stream';
import { modelList, modelOf } from '@headwater/shared/openai-api/model-list';
import { type OpenedChat, openChat } from '@headwater/shared/openai-api/open-chat';
import { toGatewayError, type WireError } from '@headwater/shared/protocol/errors';
import type { ProviderName } from '@headwater/shared/providers/contract';
import { createModelCatalogue } from '@headwater/shared/providers/model-catalogue';
import { HEARTBEAT_MS, SSE_HEADERS } from '@headwater/shared/stream/frames';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createChatSubscriber } from '../adapters/chat-subscriber.ts';
import { createSseSubscriber } from '../adapters/sse-subscriber.ts';
import type { OriginGateway } from '../gateway.ts';
import type { SessionHandle } from '../sessions/session-registry.ts';
import { headerOf } from './header.ts';
import { sessionPortsOf } from './session-ports.ts';

/** Says every error of these routes in OpenAI's shape. */
async function rewriteErrors(_request: FastifyRequest, reply: FastifyReply, payload: unknown) {
  if (reply.statusCode < 400) return payload;
  const { error } = payload as { error: WireError };
  reply.headers(apiErrorHeaders(error));
  return apiErrorBody(error);
}

const warnOf =
  ({ logger }: OriginGateway) =>
  (provider: ProviderName, err: unknown) =>
    logger.warn({ provider, err }, 'models could not be listed');

/** Adds the routes. */
export function addOpenAI(app: FastifyInstance, gateway: OriginGateway): void {
  const { settings, authorise, sessions, registry } = gateway;
  const models = createModelCatalogue({ registry, onFailure: warnOf(gateway) });
  const ports = { ...sessionPortsOf(gateway), settings, authorise };
  const routes = { preSerialization: rewriteErrors };

  app.post('/v1/chat/completions', routes, async (request, reply) => {
    const opened = await openChat(ports, {
      contentType: headerOf(request, 'content-type'),
      bodyText: typeof request.body === 'string' ? request.body : '',
      authorization: headerOf(request, 'authorization'),
      apiKey: headerOf(request, 'x-api-key'),
    });
    request.log.info({ streamId: opened.streamId }, 'chat opened');
    const session = await sessions.get(opened.streamId);
    if (session === undefined) throw thrownOf(BROKEN_OFF);
    const answer = opened.chat.stream ? sendChunks : sendCompletion;
    try {
      return await answer(session, opened, reply);
    } catch (thrown) {
      throw await explain(toGatewayError(thrown), async () => (await session.view()).error);
    }
  });

  const listFor = async (request: FastifyRequest) => {
    await authoriseClient(
      { authorise, internalApiKey: settings.internalApiKey },
      {
        authorization: headerOf(request, 'authorization'),
        apiKey: headerOf(request, 'x-api-key'),
      },
    );
    return models.list();
  };

  app.get('/v1/models', routes, async (request) => modelList(await listFor(request)));
  // A wildcard, because a model's name may have a slash.
  app.get<{ Params: { '*': string } }>('/v1/models/*', routes, async (request) =>
    modelOf(await listFor(request), request.params['*']),
  );
}

/** Lets a sink read the session; a caller that leaves is detached, which stops the model. */
function attach(session: SessionHandle, sink: ChatSink, reply: FastifyReply) {
  const subscriber = createChatSubscriber(sink);
  reply.raw.on('close', () => {
    session.detach(subscriber);
    sink.closed();
  });
  if (reply.raw.destroyed) sink.closed();
  else session.attach(subscriber, 0);
  return subscriber;
}

/** The model that answers: a fallback may have taken over before the first word. */
async function metaOf({ chat, meta }: OpenedChat, session: SessionHandle) {
  return chat.models.length > 1 ? { ...meta, model: (await session.view()).model } : meta;
}

async function sendCompletion(session: SessionHandle, opened: OpenedChat, reply: FastifyReply) {
  const collector = createCompletionCollector();
  attach(session, collector, reply);
  const completion = await collector.completion;
  return { ...(await metaOf(opened, session)), ...completion };
}

async function sendChunks(session: SessionHandle, opened: OpenedChat, reply: FastifyReply) {
  const stream = createChatStream(opened.chat);
  const subscriber = attach(session, stream, reply);
  await stream.ready(HEARTBEAT_MS);
  const meta = await metaOf(opened, session);
  reply.hijack();
  const response = reply.raw;
  response.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...SSE_HEADERS });
  const connection = createSseSubscriber(response, CHAT_FORMAT);
  stream.begin(meta, subscriber.connect(connection));
  return reply;
}
