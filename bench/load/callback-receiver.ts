/** Takes the gateway's callbacks, and knows which are missing, wrong or repeated. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 5;

/** Connections of the gateway stay open between loads, in ms. */
const KEEP_ALIVE_MS = 300_000;

/** A running receiver. */
export interface CallbackReceiver {
  /** The address for a stream whose callback must carry `answer`. */
  expect(answer: string): string;
  /** The address for a stream that is cancelled before its first token. */
  expectCancelled(): string;
  /** Resolves when every expected callback is here, or after `timeoutMs`. */
  settled(timeoutMs: number): Promise<void>;
  /** Faults since it was last asked; a callback that is still missing is one, once. */
  takeFailures(): string[];
}

interface Callback {
  readonly answer?: string;
  readonly status?: string;
}

/** Starts it on a free port of 127.0.0.1. */
export async function startCallbackReceiver(): Promise<CallbackReceiver> {
  const expected = new Map<string, Callback>();
  const seen = new Set<string>();
  let failures: string[] = [];
  let count = 0;

  function judge(path: string, body: string): void {
    if (seen.has(path)) failures.push(`callback ${path} came again`);
    seen.add(path);
    const wanted = expected.get(path);
    if (wanted === undefined) return;
    expected.delete(path);
    const { status, answer } = JSON.parse(body) as Callback;
    if (status !== wanted.status) failures.push(`callback ${path}: ${status}`);
    else if (answer !== wanted.answer) failures.push(`callback ${path}: the answer differs`);
  }

  function expect(callback: Callback): string {
    count += 1;
    expected.set(`/${count}`, callback);
    return `${url}/${count}`;
  }

  const server = createServer((incoming, outgoing) => {
    readAll(incoming)
      .then((body) => judge(incoming.url ?? '', body))
      .catch((thrown: unknown) => failures.push(`callback ${incoming.url}: ${thrown}`))
      .finally(() => outgoing.writeHead(200, { 'content-length': 0 }).end());
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    expect: (answer) => expect({ status: 'completed', answer }),
    expectCancelled: () => expect({ status: 'cancelled', answer: '' }),
    async settled(timeoutMs) {
      const untilMs = performance.now() + timeoutMs;
      while (expected.size > 0 && performance.now() < untilMs) await sleep(POLL_MS);
    },
    takeFailures() {
      const missing = [...expected.keys()].map((path) => `callback ${path} did not come`);
      expected.clear();
      const all = [...failures, ...missing];
      failures = [];
      return all;
    },
  };
}
