/** OpenAI's API on the edge: `POST /v1/chat/completions`, `GET /v1/models`. */

import { readBodyText } from '@headwater/shared/gateway/read-body';
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
import { HEARTBEAT_MS } from '@headwater/shared/stream/frames';
import { type Context, Hono } from 'hono';
import { createChatResponse } from '../adapters/chat-response.ts';
import { catalogueOf } from '../adapters/edge-models.ts';
import { readSession } from '../adapters/session-reading.ts';
import { answerError, type EdgeContext } from '../middleware/request-context.ts';
import type { SessionObject } from '../objects/session-object.ts';
import { sessionPortsOf } from './session-ports.ts';

type Session = DurableObjectStub<SessionObject>;

/** Says an error in OpenAI's shape. */
async function answerApiError(thrown: unknown, c: Context<EdgeContext>): Promise<Response> {
  const response = answerError(thrown, c);
  const { error } = await response.json<{ error: WireError }>();
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(apiErrorHeaders(error))) headers.set(name, value);
  return new Response(JSON.stringify(apiErrorBody(error)), { status: response.status, headers });
}

function credentialsOf(c: Context<EdgeContext>) {
  return {
    authorization: c.req.header('authorization') ?? null,
    apiKey: c.req.header('x-api-key') ?? null,
  };
}

/** Lets a sink read the session; a caller that leaves ends the reading, which stops the model. */
async function attach(c: Context<EdgeContext>, session: Session, sink: ChatSink) {
  const { webSocket } = await session.fetch(`https://session/?format=${CHAT_FORMAT}`, {
    headers: { upgrade: 'websocket' },
  });
  if (webSocket === null) throw thrownOf(BROKEN_OFF);
  const reading = readSession(webSocket, sink);
  const { signal } = c.req.raw;
  signal.addEventListener('abort', () => {
    reading.leave();
    sink.closed();
  });
  return reading;
}

async function viewOf(session: Session) {
  const answer = await session.view();
  return answer.ok ? answer.value : undefined;
}

/** The model that answers: a fallback may have taken over before the first word. */
async function metaOf({ chat, meta }: OpenedChat, session: Session) {
  if (chat.models.length < 2) return meta;
  return { ...meta, model: (await viewOf(session))?.model ?? meta.model };
}

async function sendCompletion(c: Context<EdgeContext>, session: Session, opened: OpenedChat) {
  const collector = createCompletionCollector();
  const reading = await attach(c, session, collector);
  try {
    const completion = await collector.completion;
    return c.json({ ...(await metaOf(opened, session)), ...completion });
  } finally {
    reading.leave();
  }
}

async function sendChunks(c: Context<EdgeContext>, session: Session, opened: OpenedChat) {
  const stream = createChatStream(opened.chat);
  const reading = await attach(c, session, stream);
  try {
    await stream.ready(HEARTBEAT_MS);
    const meta = await metaOf(opened, session);
    const { response, output } = createChatResponse(reading);
    stream.begin(meta, output);
    return response;
  } catch (thrown) {
    reading.leave();
    throw thrown;
  }
}

async function listFor(c: Context<EdgeContext>) {
  const gateway = c.get('gateway');
  const { authorise, settings } = gateway;
  await authoriseClient({ authorise, internalApiKey: settings.internalApiKey }, credentialsOf(c));
  return catalogueOf(gateway).list();
}

export const openaiRoute = new Hono<EdgeContext>()
  .post('/v1/chat/completions', async (c) => {
    const gateway = c.get('gateway');
    const { settings, authorise } = gateway;
    const { SESSIONS } = c.env;
    const opened = await openChat(
      { ...sessionPortsOf(c.env, gateway), settings, authorise },
      {
        contentType: c.req.header('content-type') ?? null,
        bodyText: await readBodyText(c.req.raw),
        ...credentialsOf(c),
      },
    );
    c.get('logger').info({ streamId: opened.streamId }, 'chat opened');
    const session = SESSIONS.get(SESSIONS.idFromString(opened.streamId));
    const answer = opened.chat.stream ? sendChunks : sendCompletion;
    try {
      return await answer(c, session, opened);
    } catch (thrown) {
      throw await explain(
        toGatewayError(thrown),
        async () => (await viewOf(session))?.error ?? null,
      );
    }
  })
  .get('/v1/models', async (c) => c.json(modelList(await listFor(c))))
  .get('/v1/models/:id{.+}', async (c) => c.json(modelOf(await listFor(c), c.req.param('id'))))
  .onError(answerApiError);
