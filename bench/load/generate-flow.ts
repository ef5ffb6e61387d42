/** One whole answer by `POST /ai/generate`. */

import type { Agent } from 'node:http';
import { call, readText } from './http.ts';
import type { Exchange } from './prompts.ts';

/** What an answer is asked with. */
export interface GenerateFlow {
  readonly baseUrl: string;
  readonly exchange: Exchange;
  readonly callerToken: string;
  readonly agent: Agent;
}

/** Asks and compares. Resolves to the time to the end of the answer, in ms. */
export async function generateFlow(flow: GenerateFlow): Promise<number> {
  const { baseUrl, exchange, callerToken, agent } = flow;
  const startedMs = performance.now();
  const response = await call({
    url: `${baseUrl}/ai/generate`,
    headers: { authorization: `Bearer ${callerToken}` },
    body: { prompt: exchange.prompt, model: 'gpt-4o-mini' },
    agent,
  });
  const { text: body } = await readText(response, '');
  const endedMs = performance.now();
  const { text } = JSON.parse(body) as { text: string };
  const { answer } = exchange;
  if (text !== answer) throw new Error(`the text differs (${text.length} of ${answer.length})`);
  return endedMs - startedMs;
}
