/** One stream straight from the vendor, or from a relay in front of it. */

import type { Agent } from 'node:http';
import { createParser } from 'eventsource-parser';
import { call, readText } from './http.ts';
import type { Target } from './job.ts';
import type { Exchange } from './prompts.ts';

/** The first thing that only a chunk with text holds; the one before has a `role` there. */
const FIRST_TOKEN = '"delta":{"content":"';

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
}

/**
 * Asks, reads to the end and compares. Resolves to the time to the first token, or to the end of a
 * `whole` answer, in ms; rejects where a byte of the text or the end marker is missing.
 */
export async function directFlow(
  { kind, baseUrl, headers }: Target,
  { prompt, answer }: Exchange,
  agent: Agent,
): Promise<number> {
  const startedMs = performance.now();
  const response = await call({
    url: `${baseUrl}/v1/chat/completions`,
    headers: { ...headers, authorization: 'Bearer bench' },
    body: {
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: prompt }],
      stream: true,
      stream_options: { include_usage: true },
    },
    agent,
  });
  const { text: body, firstAtMs } = await readText(response, FIRST_TOKEN);
  const endedMs = performance.now();
  let text = '';
  let last = '';
  const parser = createParser({
    onEvent({ data }) {
      last = data;
      if (data === '[DONE]') return;
      text += (JSON.parse(data) as Chunk).choices?.[0]?.delta?.content ?? '';
    },
  });
  parser.feed(body);
  if (last !== '[DONE]') throw new Error('the stream did not end with [DONE]');
  if (text !== answer) throw new Error(`the text differs (${text.length} of ${answer.length})`);
  return (kind === 'whole' ? endedMs : firstAtMs) - startedMs;
}
