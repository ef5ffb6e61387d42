/** Requests of the load generator, as bare as Node's own client allows. */

import { type Agent, type IncomingMessage, request } from 'node:http';

/** Silence on a connection that counts as a failure, in ms. */
const SILENCE_MS = 20_000;

/** One request. */
export interface Call {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends it by POST, as JSON. */
  readonly body?: object;
  /** Default GET, or POST with a body. */
  readonly method?: 'DELETE';
  readonly agent: Agent;
}

/** Sends it. Rejects without an answer, and for any status but 200. */
export async function call({
  url,
  headers = {},
  body,
  method,
  agent,
}: Call): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(url, {
      agent,
      method: method ?? (text === undefined ? 'GET' : 'POST'),
      headers: text === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      timeout: SILENCE_MS,
    });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`silent for ${SILENCE_MS} ms`)));
    outgoing.end(text);
  });
  if (response.statusCode === 200) return response;
  const { text: answer } = await readText(response, '');
  throw new Error(`status ${response.statusCode}: ${answer.slice(0, 200)}`);
}

/**
 * Reads a body to its end. `firstAtMs` is when `mark` had arrived, on `performance.now`'s clock.
 * Rejects when the body is cut.
 */
export async function readText(
  response: IncomingMessage,
  mark: string,
): Promise<{ text: string; firstAtMs: number }> {
  const chunks: Buffer[] = [];
  let firstAtMs = Number.NaN;
  let head = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if (!Number.isNaN(firstAtMs)) continue;
    head += chunk.toString('latin1');
    if (head.includes(mark)) firstAtMs = performance.now();
  }
  return { text: Buffer.concat(chunks).toString(), firstAtMs };
}
