/** A reader of the gateway by WebSocket: the platform's own, or `ws` where a header is needed. */

import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { WebSocket as WsSocket } from 'ws';

/** One message of the gateway. */
export interface SocketEvent {
  readonly id?: string;
  readonly type: string;
  readonly text?: string;
  readonly [field: string]: unknown;
}

/** How a socket was closed. */
export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}

/** How to connect. */
export interface SocketOptions {
  readonly query?: Readonly<Record<string, string>>;
  /** With headers the client is `ws`; without them it is the platform's. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as soon as the socket is open. */
  readonly first?: object;
  /** Leaves, without a word where the client can, as soon as this holds. */
  until?(events: readonly SocketEvent[]): boolean;
}

/** An open socket. */
export interface SocketClient {
  /** What has come so far. */
  readonly events: readonly SocketEvent[];
  readonly closed: Promise<SocketClose>;
  /** Sends an object as JSON, and anything else as it is. */
  say(message: object | string | Uint8Array): void;
  /** Resolves once the events satisfy `holds`; rejects when the socket closes before. */
  once(holds: (events: readonly SocketEvent[]) => boolean): Promise<void>;
}

function socketUrl(streamUrl: string, query: Readonly<Record<string, string>> = {}): URL {
  const url = new URL(streamUrl);
  url.protocol = url.protocol.replace('http', 'ws');
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** Connects, and resolves when the socket is open. */
export async function openSocket(
  streamUrl: string,
  options: SocketOptions = {},
): Promise<SocketClient> {
  const url = socketUrl(streamUrl, options.query);
  const events: SocketEvent[] = [];
  const waiting = new Set<() => void>();
  const ws =
    options.headers === undefined
      ? undefined
      : new WsSocket(url, { headers: options.headers, perMessageDeflate: false });
  const socket = ws ?? new WebSocket(url);
  let isLeaving = false;
  const closed = new Promise<SocketClose>((resolve) => {
    socket.addEventListener('close', ({ code, reason }: SocketClose) => {
      resolve({ code, reason });
      for (const look of waiting) look();
    });
  });
  socket.addEventListener('message', ({ data }: { data: unknown }) => {
    if (isLeaving) return;
    events.push(JSON.parse(String(data)) as SocketEvent);
    for (const look of waiting) look();
    if (options.until?.(events) !== true) return;
    isLeaving = true;
    if (ws === undefined) socket.close();
    else ws.terminate();
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error('the socket did not open')));
  });
  const say = (message: object | string | Uint8Array): void => {
    const isText = typeof message === 'string' || message instanceof Uint8Array;
    socket.send((isText ? message : JSON.stringify(message)) as string);
  };
  if (options.first !== undefined) say(options.first);
  return {
    events,
    closed,
    say,
    once: (holds) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const isClosed = socket.readyState >= 2;
          if (!holds(events) && !isClosed) return;
          waiting.delete(look);
          if (holds(events)) resolve();
          else reject(new Error(`the socket closed after ${events.length} events`));
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Reads to the end, or until the reader has had enough. */
export async function readSocket(
  streamUrl: string,
  options: SocketOptions = {},
): Promise<SocketClose & { readonly events: readonly SocketEvent[] }> {
  const { closed, events } = await openSocket(streamUrl, options);
  return { ...(await closed), events };
}

/** The text of all deltas. */
export function socketText(events: readonly SocketEvent[]): string {
  return events.map(({ type, text }) => (type === 'delta' ? text : '')).join('');
}

/** An upgrade that is not granted: the HTTP answer to it. */
export async function refusedUpgrade(
  streamUrl: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; requestId: unknown; body: unknown }> {
  const asking = request(streamUrl, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
  return answerOf(asking);
}

/** A request as Java's client sends its first: it would like HTTP/2, and takes HTTP/1.1. */
export async function postWithH2cOffer(
  url: string,
  body: string,
): Promise<{ status: number; body: unknown }> {
  const asking = request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
    },
  });
  asking.write(body);
  return answerOf(asking);
}

async function answerOf(asking: ClientRequest) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asking.on('response', resolve);
    asking.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the upgrade was granted'));
    });
    asking.on('error', reject);
    asking.end();
  });
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += String(piece);
  return {
    status: response.statusCode ?? 0,
    requestId: response.headers['x-request-id'],
    body: JSON.parse(text) as unknown,
  };
}
