/** A receiver of callbacks: keeps what comes, answers as it is told. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A callback as it came. */
interface ReceivedCallback {
  /** Path with query, as the request line had it. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How to answer one attempt. */
export interface ReceiverAnswer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A running receiver. */
export interface CallbackReceiver {
  /** A URL of its own for a test; `answers` are given in turn, then 200. */
  urlFor(name: string, answers?: readonly ReceiverAnswer[]): string;
  /** Attempts so far for a name. */
  received(name: string): readonly ReceivedCallback[];
  /** The n-th attempt for a name, once it has come. */
  attempt(name: string, n?: number): Promise<ReceivedCallback>;
  close(): Promise<void>;
}

/** How long a callback may take, in ms: many times what it needs. */
const ATTEMPT_TIMEOUT_MS = 20_000;

/** Starts a receiver on 127.0.0.1. */
export async function startCallbackReceiver(): Promise<CallbackReceiver> {
  const kept = new Map<string, ReceivedCallback[]>();
  const answers = new Map<string, ReceiverAnswer[]>();
  const waiters = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const target = request.url ?? '/';
      const name = decodeURIComponent(new URL(target, 'http://x').pathname.slice(1));
      const raw = Buffer.concat(chunks).toString();
      const list = kept.get(name) ?? [];
      kept.set(name, list);
      list.push({
        target,
        raw,
        headers: request.headers as Record<string, string>,
        body: JSON.parse(raw === '' ? '{}' : raw),
      });
      const answer = answers.get(name)?.shift() ?? { status: 200, body: 'ok' };
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
      for (const look of waiters) look();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    urlFor(name, inTurn = []) {
      answers.set(name, [...inTurn]);
      return `${base}/${encodeURIComponent(name)}`;
    },
    received: (name) => kept.get(name) ?? [],
    attempt: (name, n = 0) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiters.delete(look);
          reject(new Error(`attempt ${n + 1} of callback "${name}" did not come`));
        }, ATTEMPT_TIMEOUT_MS);
        const look = () => {
          const found = kept.get(name)?.[n];
          if (found === undefined) return;
          clearTimeout(timer);
          waiters.delete(look);
          resolve(found);
        };
        waiters.add(look);
        look();
      }),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
