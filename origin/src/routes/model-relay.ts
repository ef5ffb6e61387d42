/** The model relay: an edge's way to a vendor that only the origin reaches. */

import { once } from 'node:events';
import { GatewayError, toGatewayError, toWireError } from '@headwater/shared/protocol/errors';
import { MAX_BODY_BYTES, parseJsonObject } from '@headwater/shared/protocol/init-stream';
import {
  MODEL_RELAY_PATH,
  parseRelayRequest,
  type RelayLine,
} from '@headwater/shared/protocol/model-relay';
import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { headerOf } from './header.ts';

/** The edge sends the text of a message twice where it has parts, and escapes it anew. */
const RELAY_BODY_BYTES = 3 * MAX_BODY_BYTES;

/** Adds the route; `INTERNAL_API_KEY` alone opens it, or nothing in DEV_MODE without one. */
export function addModelRelay(app: FastifyInstance, gateway: OriginGateway): void {
  const { authorise, registry, settings } = gateway;
  app.post(MODEL_RELAY_PATH, { bodyLimit: RELAY_BODY_BYTES }, async (request, reply) => {
    const apiKey = headerOf(request, 'x-api-key');
    if (apiKey !== null || settings.internalApiKey !== undefined || !settings.devMode) {
      await authorise({ authorization: null, apiKey: apiKey ?? '' });
    }
    const body = typeof request.body === 'string' ? request.body : '';
    const model = parseRelayRequest(parseJsonObject(body));
    const { provider } = registry.resolve(`ollama/${model.model}`);

    const abort = new AbortController();
    reply.hijack();
    const response = reply.raw;
    response.on('close', () => abort.abort());
    response.on('error', () => abort.abort());
    response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
    });
    response.flushHeaders();
    const line = (value: RelayLine): boolean => response.write(`${JSON.stringify(value)}\n`);
    try {
      for await (const events of provider.stream(model, abort.signal)) {
        if (!line({ events })) await once(response, 'drain', { signal: abort.signal });
      }
      line({ end: true });
    } catch (thrown) {
      if (!abort.signal.aborted) {
        const error = toGatewayError(thrown);
        if (!(thrown instanceof GatewayError)) request.log.error({ err: thrown }, 'relay failed');
        line({ error: toWireError(error) });
      }
    }
    response.end();
    return reply;
  });
}
