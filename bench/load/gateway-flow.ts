/** One stream through the gateway: init, open, read to the end. */

import type { Agent } from 'node:http';
import { signCallerToken } from '@headwater/shared/security/caller-token';
import { createParser } from 'eventsource-parser';
import { call, readText } from './http.ts';
import type { Exchange } from './prompts.ts';

/**
 * Callers that take turns. The rate of one caller is counted exactly, over a list that grows with
 * the rate: a single caller with thousands of streams a minute would measure that list.
 */
const CALLERS = 100;

const TOKEN_TTL_SECONDS = 3600;

/** The first bytes of an event with text; `retry:` comes before it. */
const FIRST_TOKEN = 'data: ';

/** Makes the callers' tokens. */
export function signCallers(secret: string): Promise<string[]> {
  return Promise.all(
    Array.from({ length: CALLERS }, (_, index) =>
      signCallerToken(secret, { subject: `caller-${index}`, ttlSeconds: TOKEN_TTL_SECONDS }),
    ),
  );
}

/** What a stream is made with. */
export interface GatewayFlow {
  readonly baseUrl: string;
  readonly exchange: Exchange;
  readonly callerToken: string;
  readonly resumeUrl: string;
  readonly agent: Agent;
}

/** Asks for a stream; resolves to its address. */
export async function initStream(flow: GatewayFlow): Promise<string> {
  const { baseUrl, exchange, callerToken, resumeUrl, agent } = flow;
  const init = await call({
    url: `${baseUrl}/init-stream`,
    body: { n8nToken: callerToken, resumeUrl, prompt: exchange.prompt, model: 'gpt-4o-mini' },
    agent,
  });
  return (JSON.parse((await readText(init, '')).text) as { streamUrl: string }).streamUrl;
}

/**
 * Opens a stream, reads it to the end and compares. Resolves to the time from the init request to
 * the first token, in ms; rejects where a byte of the text or the end marker is missing.
 */
export async function gatewayFlow(flow: GatewayFlow): Promise<number> {
  const { exchange, agent } = flow;
  const startedMs = performance.now();
  const streamUrl = await initStream(flow);
  const response = await call({ url: streamUrl, agent });
  const { text: body, firstAtMs } = await readText(response, FIRST_TOKEN);
  const texts: string[] = [];
  const parser = createParser({
    onEvent({ event, data }) {
      if (event === 'error') throw new Error(`error event: ${data}`);
      if (event === undefined) texts.push(data);
    },
  });
  parser.feed(body);
  if (texts.pop() !== '[DONE]') throw new Error('the stream did not end with [DONE]');
  const text = texts.join('');
  const { answer } = exchange;
  if (text !== answer) throw new Error(`the text differs (${text.length} of ${answer.length})`);
  return firstAtMs - startedMs;
}
