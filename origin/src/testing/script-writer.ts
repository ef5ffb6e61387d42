/** A vendor that writes as many words as it is asked for; it speaks OpenAI's protocol. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What it was asked. */
export interface WriterRequest {
  /** All turns, as one text. */
  readonly prompt: string;
  readonly maxTokens: number;
  /** It was stopped before its end. */
  aborted: boolean;
}

/** What the n-th call (from 1) that writes a part comes to. */
export interface WriterTurn {
  /** Default: as many words as it was asked for. */
  readonly text?: string;
  /** Refuses with this status. */
  readonly status?: number;
  /** Goes silent after so many characters until it is let go on. */
  readonly holdAfter?: number;
}

/** The vendor. */
export interface ScriptWriter {
  readonly baseUrl: string;
  readonly requests: readonly WriterRequest[];
  /** Requests for a part, not for an outline. */
  readonly parts: number;
  /** Decides the calls for parts from now on. */
  turn: (call: number, words: number) => WriterTurn;
  /** Lets go on what is held. */
  release(): void;
  close(): Promise<void>;
}

const SENTENCE = 'The old lamp went out again, and nobody in the house said a word. ';
const SENTENCE_WORDS = 14;

/** An answer with an outline of so many parts. */
function outlineOf(prompt: string): string {
  const count = Number(/It has (\d+) parts/.exec(prompt)?.[1] ?? 0);
  const parts = Array.from({ length: count }, (_, at) => ({
    title: `Part ${at + 1}`,
    beats: [`Beat ${at + 1}.`],
  }));
  return JSON.stringify({ parts });
}

/** Starts it. */
export async function startScriptWriter(): Promise<ScriptWriter> {
  const requests: WriterRequest[] = [];
  const holds: (() => void)[] = [];
  let calls = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as {
      messages: { content: string }[];
      max_tokens?: number;
      max_completion_tokens?: number;
    };
    const prompt = body.messages.map(({ content }) => content).join('\n');
    const maxTokens = body.max_completion_tokens ?? body.max_tokens ?? 0;
    const recorded: WriterRequest = { prompt, maxTokens, aborted: false };
    requests.push(recorded);
    let isWhole = false;
    response.once('close', () => {
      recorded.aborted = !isWhole;
    });
    const words = /Length: about (\d+) words/.exec(prompt)?.[1];
    if (words !== undefined) calls += 1;
    const turn = words === undefined ? {} : writer.turn(calls, Number(words));
    if (turn.status !== undefined) {
      response.writeHead(turn.status).end('{}');
      isWhole = true;
      return;
    }
    const sentences = Math.max(1, Math.round(Number(words) / SENTENCE_WORDS));
    const text =
      turn.text ?? (words === undefined ? outlineOf(prompt) : SENTENCE.repeat(sentences));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const at = turn.holdAfter ?? text.length;
    response.write(delta(text.slice(0, at)));
    if (at < text.length) {
      await Promise.race([
        new Promise<void>((resolve) => {
          holds.push(resolve);
        }),
        once(response, 'close'),
      ]);
      response.write(delta(text.slice(at)));
    }
    response.end(`${event([{ index: 0, delta: {}, finish_reason: 'stop' }])}${USAGE}${DONE}`);
    isWhole = true;
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((thrown: unknown) => {
      // The test's own mistake: it must see it.
      response.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const writer: ScriptWriter = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    get parts() {
      return calls;
    },
    turn: () => ({}),
    release() {
      for (const resolve of holds.splice(0)) resolve();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return writer;
}

const HEAD = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o' };

const event = (choices: readonly object[], rest: object = {}) =>
  `data: ${JSON.stringify({ ...HEAD, choices, ...rest })}\n\n`;

const delta = (content: string) =>
  event([{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }]);

const USAGE = event([], { usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } });
const DONE = 'data: [DONE]\n\n';
