import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastifyWebsocket from '@fastify/websocket';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { leavingOf } from '../routes/task-request.ts';
import { addRequestContext, genReqId } from './request-context.ts';

interface Line {
  readonly requestId?: string;
  readonly path?: string;
  readonly status?: number;
  readonly cut?: true;
  readonly durationMs?: number;
}

let app: FastifyInstance;
let lines: Line[];
/** Calls of the route that answers when it is let go on, or told that nobody waits. */
let waiting: { go(): void; readonly left: AbortSignal }[];

beforeEach(async () => {
  lines = [];
  waiting = [];
  const loggerInstance: FastifyBaseLogger = pino(
    { base: null },
    {
      write(text: string) {
        const line = JSON.parse(text) as Line & { msg: string };
        if (line.msg === 'request') lines.push(line);
      },
    },
  );
  const logController = new LogController({
    disableRequestLogging: true,
    requestIdLogLabel: 'requestId',
  });
  app = fastify({ loggerInstance, logController, genReqId, forceCloseConnections: true });
  addRequestContext(app, { allowedOrigins: [], devMode: false });
  app.get('/waits', async (_request, reply) => {
    const left = leavingOf(reply);
    const told = Promise.withResolvers<string>();
    left.addEventListener('abort', () => told.reject(left.reason));
    waiting.push({ go: () => told.resolve('at last'), left });
    return await told.promise;
  });
  app.get('/streams', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.raw.write('data: 1\n\n');
  });
  app.get('/refuses', async () => {
    throw new GatewayError('conflict', 'No.');
  });
  await app.register(fastifyWebsocket);
  app.register(async (scope) => {
    scope.get('/socket', { websocket: true }, (socket) => socket.send('hello'));
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => app.close());

const portOf = () => (app.server.address() as AddressInfo).port;

function ask(path: string, requestId: string): ClientRequest {
  const headers = { 'x-request-id': requestId };
  const asked = httpRequest({ host: '127.0.0.1', port: portOf(), path, headers }).end();
  asked.on('error', () => undefined);
  return asked;
}

/** Its status and body. */
async function answerOf(asked: ClientRequest): Promise<{ status: number; body: string }> {
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, body };
}

const isWaiting = () => expect.poll(() => waiting.length).toBe(1);
const linesOnce = (count: number) => expect.poll(() => lines).toHaveLength(count);

describe('the line of a request', () => {
  it('LOG-5: has the status of the answer and how long it took', async () => {
    expect(await answerOf(ask('/refuses?secret=1', 'r1'))).toMatchObject({ status: 409 });
    await linesOnce(1);
    expect(lines[0]).toMatchObject({
      ...{ requestId: 'r1', path: '/refuses', status: 409, durationMs: expect.any(Number) },
    });
    expect(lines[0]).not.toHaveProperty('cut');
  });

  it('LOG-5: is written with 499 where the caller left before an answer began', async () => {
    const asked = ask('/waits', 'r2');
    await isWaiting();
    asked.destroy();
    await linesOnce(1);
    expect(lines[0]).toMatchObject({ requestId: 'r2', path: '/waits', status: 499, cut: true });
    expect(waiting[0]?.left.reason).toMatchObject({ message: 'The caller has left.' });
    // Whatever the route still makes of it writes no second one.
    await answerOf(ask('/refuses', 'r3'));
    await linesOnce(2);
    expect(lines.map(({ requestId }) => requestId)).toEqual(['r2', 'r3']);
  });

  it('LOG-5: has the status that was sent where an answer was cut in its middle', async () => {
    const asked = ask('/streams', 'r4');
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    await once(response, 'data');
    asked.destroy();
    await linesOnce(1);
    expect(lines[0]).toMatchObject({ requestId: 'r4', status: 200, cut: true });
  });

  it('LOG-5: is left to a socket’s own reader', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${portOf()}/socket`);
    await once(socket, 'message');
    socket.terminate();
    await expect.poll(() => app.websocketServer.clients.size).toBe(0);
    await answerOf(ask('/refuses', 'r5'));
    await linesOnce(1);
    expect(lines[0]).toMatchObject({ requestId: 'r5' });
  });
});

describe('answers that are awaited as the process goes down', () => {
  it('ANSWER-16: have the grace to come by themselves', async () => {
    const answer = answerOf(ask('/waits', 'r6'));
    await isWaiting();
    const ended = app.awaited.end(60_000);
    waiting[0]?.go();
    expect(await answer).toEqual({ status: 200, body: 'at last' });
    await ended;
    expect(app.awaited.over.aborted).toBe(true);
  });

  it('ANSWER-16: are `unavailable` after it, and out before the app is closed', async () => {
    const answer = answerOf(ask('/waits', 'r7'));
    await isWaiting();
    await app.awaited.end(0);
    await app.close();
    const { status, body } = await answer;
    expect(status).toBe(503);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'unavailable', requestId: 'r7' } });
    expect(waiting[0]?.left.reason).toMatchObject({ details: { retryAfterSeconds: 5 } });
  });

  it('ANSWER-16: a stream is none of them', async () => {
    const asked = ask('/streams', 'r8');
    await once(asked, 'response');
    await app.awaited.end(60_000);
    asked.destroy();
    await linesOnce(1);
  });
});
