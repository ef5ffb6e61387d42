/** Around every request: an id, CORS, one log line, and errors in the contract's shape. */

import { requestIdOf } from '@headwater/shared/gateway/request-id';
import { corsHeaders, preflightHeaders } from '@headwater/shared/protocol/cors';
import {
  errorBody,
  errorHeaders,
  GatewayError,
  toGatewayError,
} from '@headwater/shared/protocol/errors';
import { SettingsError } from '@headwater/shared/protocol/settings';
import type { Logger } from '@headwater/shared/stream/ports';
import type { Context, MiddlewareHandler } from 'hono';
import { createConsoleLogger } from '../adapters/console-logger.ts';
import type { Env } from '../env.ts';
import { type EdgeGateway, gatewayOf } from '../gateway.ts';

/** What routes find in the context. */
export interface EdgeContext {
  Bindings: Env;
  Variables: { requestId: string; logger: Logger; gateway: EdgeGateway };
}

/** The middleware that wraps all others. */
export const requestContext: MiddlewareHandler<EdgeContext> = async (c, next) => {
  const startedMs = Date.now();
  const requestId = requestIdOf(c.req.header('x-request-id'));
  const logger = createConsoleLogger({ requestId });
  c.set('requestId', requestId);
  c.set('logger', logger);
  const gateway = gatewayOf(c.env);
  c.set('gateway', gateway);
  const { allowedOrigins, devMode } = gateway.settings;
  const origin = c.req.header('origin');
  const preflight =
    c.req.method === 'OPTIONS' ? preflightHeaders(origin, { allowedOrigins, devMode }) : undefined;
  if (preflight !== undefined) c.res = new Response(null, { status: 204, headers: preflight });
  else await next();
  const cors = corsHeaders(origin, { allowedOrigins, devMode }) ?? {};
  for (const [name, value] of Object.entries(cors)) c.res.headers.set(name, value);
  c.res.headers.set('x-request-id', requestId);
  logger.info(
    {
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      durationMs: Date.now() - startedMs,
    },
    'request',
  );
};

/** Answers anything thrown. What is not a GatewayError is logged, and told in general words. */
export function answerError(thrown: unknown, c: Context<EdgeContext>): Response {
  const logger = c.get('logger') ?? createConsoleLogger();
  const requestId = c.get('requestId') ?? requestIdOf(undefined);
  if (thrown instanceof SettingsError) {
    logger.error({ faults: thrown.message }, 'settings are not usable');
    const error = new GatewayError('unavailable', 'The gateway is not set up. See its log.');
    return errorResponse(error, requestId);
  }
  const error = toGatewayError(thrown);
  if (error.code === 'processing_failed') logger.error({ err: thrown }, 'request failed');
  return errorResponse(error, requestId);
}

function errorResponse(error: GatewayError, requestId: string): Response {
  return Response.json(errorBody(error, requestId), {
    status: error.status,
    headers: { ...errorHeaders(error), 'x-request-id': requestId },
  });
}
