/** `/ai/chat`: conversations that are remembered. */

import { REPLAYED_HEADER, readIdempotencyKey } from '@headwater/shared/gateway/idempotency';
import { requireJson } from '@headwater/shared/gateway/require-json';
import { parseChatPage, parseChatRequest } from '@headwater/shared/protocol/ai-chat';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { parseJsonObject } from '@headwater/shared/protocol/init-stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { streamAnswer } from '../answers/stream-answer.ts';
import type { ChatMessage } from '../chat/chat-record.ts';
import type { ChatService } from '../chat/chat-service.ts';
import { viewHistory, viewList, viewTurn } from '../chat/chat-view.ts';
import type { OriginGateway } from '../gateway.ts';
import { baseUrlOf } from './base-url.ts';
import { headerOf } from './header.ts';
import { callerOf, leavingOf, type TaskParams } from './task-request.ts';

/** What the routes need of the gateway. */
export type ChatGateway = Pick<
  OriginGateway,
  'authorise' | 'settings' | 'sessions' | 'accessTokens'
> & { readonly chat: ChatService };

/** A token of a stream that is read again holds no shorter than the answer may take, in ms. */
const ANSWER_TIME_MS = 3_600_000;

/** Adds the routes. */
export function addAiChatRoutes(app: FastifyInstance, gateway: ChatGateway): void {
  const { authorise, settings, sessions, accessTokens, chat } = gateway;
  // A summary that is just being written would hold its turn up.
  app.awaited.over.addEventListener('abort', () => void chat.close());

  app.post('/ai/chat', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    requireJson(headerOf(request, 'content-type'));
    const bodyText = typeof request.body === 'string' ? request.body : '';
    const asked = parseChatRequest(parseJsonObject(bodyText));
    const idempotencyKey = readIdempotencyKey(headerOf(request, 'idempotency-key'));
    const requestBaseUrl = await baseUrlOf(request, settings);
    const turn = await chat.take({ owner, request: asked, idempotencyKey, requestBaseUrl });
    reply.header('cache-control', 'no-store');
    if (turn.type === 'again') {
      reply.header(REPLAYED_HEADER, 'true');
      if (asked.stream === true) return readAgain(request, reply, turn.answer, requestBaseUrl);
    } else if (asked.stream === true) {
      return streamAnswer(request, reply, turn.opened);
    }
    // The answer goes on without its caller, who finds it in the conversation.
    const answerId = turn.type === 'again' ? turn.answer.id : turn.answerId;
    return viewTurn(await chat.ended(answerId, leavingOf(reply)));
  });

  /** The same stream, for as long as it can be replayed. */
  async function readAgain(
    request: FastifyRequest,
    reply: FastifyReply,
    { streamId, isCached, status }: ChatMessage,
    baseUrl: string,
  ) {
    if (streamId === null && status === 'pending') {
      throw new GatewayError('conflict', 'This answer is about to begin. Try again.');
    }
    const session = streamId === null ? undefined : await sessions.get(streamId);
    if (streamId === null || session === undefined) {
      throw new GatewayError(
        'expired',
        'The stream of this answer is forgotten. Read the answer by GET /ai/chat/{session_id}.',
      );
    }
    const expiresAtMs = Date.now() + ANSWER_TIME_MS + settings.streamRetentionMs;
    const token = await accessTokens.issue(streamId, expiresAtMs);
    const streamUrl = `${baseUrl}/ai/stream/${streamId}?format=json&access_token=${token}`;
    return streamAnswer(request, reply, { streamId, streamUrl, session, isCached });
  }

  app.get('/ai/chat', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    const { after, limit } = parseChatPage(request.query);
    reply.header('cache-control', 'no-store');
    return viewList(await chat.list(owner, { after, limit: limit + 1 }), limit);
  });

  app.get<TaskParams>('/ai/chat/:id', async (request, reply) => {
    const owner = await callerOf(authorise, request);
    const page = parseChatPage(request.query);
    reply.header('cache-control', 'no-store');
    return viewHistory(await chat.read(owner, request.params.id, page));
  });

  app.delete<TaskParams>('/ai/chat/:id', async (request, reply) => {
    await chat.remove(await callerOf(authorise, request), request.params.id);
    return reply.code(204).send();
  });
}
