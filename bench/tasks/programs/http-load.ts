/**
 * Sends requests for tasks on kept connections, each as soon as the one before is answered. It
 * shares the machine with whom it measures: on bare sockets a request costs it next to nothing.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inLanes } from '../in-lanes.ts';
import { type Paced, type PaceJob, type PostJob, serve, type Timed } from '../messages.ts';

/** Faults of one job that are told. */
const TOLD_FAILURES = 5;

/** A connection with one request at a time. */
interface Line {
  /** Resolves to the answer's status. Rejects when the connection ends. */
  ask(request: string): Promise<number>;
  close(): void;
}

async function openLine(url: URL): Promise<Line> {
  const socket: Socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  await once(socket, 'connect');
  let answer: PromiseWithResolvers<number> | undefined;
  let got = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    got += text;
    const head = got.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(got)?.[1]);
    if (got.length < head + 4 + length) return;
    const status = Number(got.slice(9, 12));
    got = '';
    answer?.resolve(status);
  });
  socket.on('error', (error) => answer?.reject(error));
  socket.on('close', () => answer?.reject(new Error('the connection was closed')));
  return {
    ask(request) {
      answer = Promise.withResolvers();
      socket.write(request);
      return answer.promise;
    },
    close: () => socket.destroy(),
  };
}

function requestOf(method: 'GET' | 'POST', url: URL, token: string | undefined, body = ''): string {
  const lines = [`${method} ${url.pathname} HTTP/1.1`, `host: ${url.host}`];
  if (token !== undefined) lines.push(`authorization: Bearer ${token}`);
  if (method === 'POST') {
    lines.push('content-type: application/json', `content-length: ${Buffer.byteLength(body)}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

async function post(job: PostJob): Promise<Timed> {
  const url = new URL(job.url);
  const callers = job.tokens.length === 0 ? [undefined] : job.tokens;
  const requests = callers.map((token) => requestOf('POST', url, token, job.body));
  const lines = await Promise.all(Array.from({ length: job.concurrency }, () => openLine(url)));
  const free = [...lines];
  const failures: string[] = [];
  const startedMs = performance.now();
  await inLanes(job.requests, job.concurrency, async (at) => {
    const line = free.pop();
    try {
      const status = await line?.ask(requests[at % requests.length] ?? '');
      if (status !== job.status) failures.push(`POST ${url.pathname}: status ${status}`);
    } catch (thrown) {
      failures.push(`POST ${url.pathname}: ${thrown}`);
    }
    if (line !== undefined) free.push(line);
  });
  const wallMs = performance.now() - startedMs;
  for (const line of lines) line.close();
  return { wallMs, failures: failures.slice(0, TOLD_FAILURES) };
}

async function pace(job: PaceJob): Promise<Paced> {
  const url = new URL(job.url);
  const request = requestOf('GET', url, job.token);
  const free: Line[] = [];
  const answerMs: number[] = [];
  const failures: string[] = [];
  const asking: Promise<void>[] = [];

  async function ask(): Promise<void> {
    // Time in which a new connection is opened counts too: that is how late the loop answers.
    const startedMs = performance.now();
    try {
      const line = free.pop() ?? (await openLine(url));
      const status = await line.ask(request);
      answerMs.push(performance.now() - startedMs);
      if (status !== 200) failures.push(`GET ${url.pathname}: status ${status}`);
      free.push(line);
    } catch (thrown) {
      failures.push(`GET ${url.pathname}: ${thrown}`);
    }
  }

  const beganMs = performance.now();
  const count = Math.round((job.forMs / 1000) * job.perSecond);
  for (let sent = 0; sent < count; sent += 1) {
    const waitMs = beganMs + (sent * 1000) / job.perSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    asking.push(ask());
  }
  await Promise.all(asking);
  for (const line of free) line.close();
  return { answerMs, failures: failures.slice(0, TOLD_FAILURES) };
}

serve<PostJob | PaceJob>((job) => (job.type === 'post' ? post(job) : pace(job)));
process.send?.('ready');
