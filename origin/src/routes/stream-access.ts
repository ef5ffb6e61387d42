/** Finds the stream that a request may read. */

import { requireAccess, streamGone } from '@headwater/shared/gateway/read-stream';
import type { FastifyRequest } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import type { SessionHandle } from '../sessions/session-registry.ts';
import { headerOf } from './header.ts';

/** Path of a stream. */
export type StreamParams = { Params: { id: string } };

/** The request's query. */
export function queryOf(request: FastifyRequest<StreamParams>): URLSearchParams {
  const at = request.url.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : request.url.slice(at + 1));
}

/** The stream, for a request that holds its token. Errors: `unauthorized`, `forbidden`, `expired`. */
export async function findSession(
  { accessTokens, sessions }: Pick<OriginGateway, 'accessTokens' | 'sessions'>,
  request: FastifyRequest<StreamParams>,
): Promise<SessionHandle> {
  const { id: streamId } = request.params;
  await requireAccess(accessTokens, {
    streamId,
    query: queryOf(request),
    authorization: headerOf(request, 'authorization'),
    cookie: headerOf(request, 'cookie'),
  });
  const session = await sessions.get(streamId);
  if (session === undefined) throw streamGone();
  return session;
}
