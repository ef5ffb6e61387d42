/** `/stream/{id}` on the origin, over a WebSocket. */

import type { IncomingMessage } from 'node:http';
import fastifyWebsocket from '@fastify/websocket';
import { readWishes, streamGone } from '@headwater/shared/gateway/read-stream';
import { requireSocketOrigin } from '@headwater/shared/gateway/socket-origin';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { pathOnly } from '@headwater/shared/protocol/redact';
import type { EventPosition } from '@headwater/shared/stream/event';
import { HEARTBEAT_MS } from '@headwater/shared/stream/frames';
import { MAX_SOCKET_MESSAGE_BYTES } from '@headwater/shared/stream/socket-messages';
import { serveSocketReader } from '@headwater/shared/stream/socket-reader';
import type { FastifyInstance } from 'fastify';
import { createSocketPulse } from '../adapters/socket-pulse.ts';
import { createWsSubscriber } from '../adapters/ws-subscriber.ts';
import type { OriginGateway } from '../gateway.ts';
import type { SessionHandle } from '../sessions/session-registry.ts';
import { headerOf } from './header.ts';
import { findSession, queryOf, type StreamParams } from './stream-access.ts';

/** A request that may be upgraded. */
interface Admitted {
  readonly session: SessionHandle;
  readonly after: EventPosition | undefined;
  readonly requestId: string;
}

/**
 * What `ws` takes into memory. A message between the two bounds is refused by the shared code, in
 * words and with 4400 as on the edge; beyond, `ws` itself closes with 1009.
 */
const MAX_PAYLOAD_BYTES = 4 * MAX_SOCKET_MESSAGE_BYTES;

/**
 * For Node's server: what it hands to the WebSocket route. Other upgrades, as the `h2c` that Java's
 * client offers with each first request, are none, and must be answered as the request they are.
 */
export function isSocketUpgrade(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Adds the route. It comes after every other one: the plugin takes over the handlers that are added
 * after it, and would accept sockets for them.
 */
export async function addStreamSocket(app: FastifyInstance, gateway: OriginGateway): Promise<void> {
  const admitted = new WeakMap<IncomingMessage, Admitted>();
  const pulse = createSocketPulse(Date.now);
  const beating = setInterval(pulse.beat, HEARTBEAT_MS / 3);
  app.addHook('onClose', async () => clearInterval(beating));

  await app.register(fastifyWebsocket, {
    // Deflate would cost each reader its own window in memory, and CPU a token.
    options: { maxPayload: MAX_PAYLOAD_BYTES, perMessageDeflate: false },
    errorHandler(thrown, socket, request) {
      // A line that broke, or a frame that is none: `ws` has closed it, with the right code.
      if (socket.readyState !== socket.OPEN) return;
      request.log.error({ err: thrown }, 'socket failed');
      socket.terminate();
    },
  });
  app.addHook('onRequest', async (request, reply) => {
    // The plugin ends the line of an upgrade that is refused; a client must not use it again.
    if (request.ws) reply.header('connection', 'close');
  });
  app.websocketServer.on('headers', (headers, request) => {
    const requestId = admitted.get(request)?.requestId;
    if (requestId !== undefined) headers.push(`x-request-id: ${requestId}`);
  });

  app.addConstraintStrategy({
    name: 'upgrade',
    storage() {
      const handlers = new Map<string, unknown>();
      return {
        get: (value) => (handlers.get(value as string) as never) ?? null,
        set: (value, handler) => void handlers.set(value as string, handler),
      };
    },
    deriveConstraint: (request) =>
      isSocketUpgrade(request as IncomingMessage) ? 'websocket' : undefined,
    validate: () => undefined,
  });
  app.route<StreamParams>({
    method: 'GET',
    url: '/stream/:id',
    exposeHeadRoute: false,
    constraints: { upgrade: 'websocket' },
    async preValidation(request) {
      const session = await findSession(gateway, request);
      requireSocketOrigin(
        {
          query: queryOf(request),
          authorization: headerOf(request, 'authorization'),
          origin: headerOf(request, 'origin'),
          host: request.host,
        },
        gateway.settings,
      );
      if (session.status === 'expired') throw streamGone();
      const { after } = readWishes(queryOf(request), headerOf(request, 'last-event-id'));
      // Refuses, while an HTTP status can still say it, where the stream has no room.
      session.decide(after);
      admitted.set(request.raw, { session, after, requestId: request.id });
    },
    handler() {
      throw new GatewayError(
        'validation_failed',
        'Add `Connection: Upgrade` to read by WebSocket.',
      );
    },
    wsHandler(socket, request) {
      const admission = admitted.get(request.raw);
      if (admission === undefined) throw new Error('a socket without admission');
      pulse.watch(socket);
      const reader = serveSocketReader(
        admission.session,
        {
          subscriber: createWsSubscriber(socket, request.raw.socket),
          nowMs: Date.now,
          later(ms, run) {
            const timer = setTimeout(run, ms);
            return () => clearTimeout(timer);
          },
          failed: (err) => request.log.error({ err }, 'socket reader failed'),
        },
        admission.after,
      );
      socket.on('message', (data, isBinary) =>
        reader.received(isBinary ? undefined : String(data)),
      );
      socket.on('close', reader.left);
      request.log.info(
        { method: request.method, path: pathOnly(request.url), status: 101 },
        'request',
      );
    },
  });
}
