/** A scripted vendor over real HTTP, on 127.0.0.1. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { VendorPlay } from '../vendors/play.ts';
import {
  countPrompts,
  createPlayChooser,
  type RecordedRequest,
  type ScriptedMind,
  type ScriptedVendor,
} from '../vendors/scripted-requests.ts';

export interface ScriptedVendorOptions {
  /** False keeps no requests: for a bench that makes very many. Default true. */
  readonly record?: boolean;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default: the directive in the prompt decides alone. */
  readonly mind?: ScriptedMind;
}

/**
 * Starts it. It serves the streaming form of `POST /v1/chat/completions`, `/v1/messages`,
 * `/api/chat` and Azure's `/openai/deployments/<name>/chat/completions`, wants the vendor's auth
 * header, and does what the directive in the last user message says (see directive.ts). It lists
 * models (see model-lists.ts).
 */
export async function startScriptedVendor(
  options: ScriptedVendorOptions = {},
): Promise<ScriptedVendor> {
  const { record = true, port = 0 } = options;
  const requests: RecordedRequest[] = [];
  const choose = createPlayChooser(options.mind);
  const server = createServer((request, response) => {
    handle(request, response).catch((thrown: unknown) => {
      // A bad directive is the test's own mistake: it must see it.
      if (!response.headersSent) response.writeHead(500);
      response.end(String(thrown));
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const recorded: RecordedRequest = {
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: readHeaders(request),
      body: await readJson(request),
      aborted: false,
    };
    if (record) requests.push(recorded);
    let isOver = false;
    response.once('close', () => {
      recorded.aborted = !isOver;
    });
    const play = choose(recorded);
    if (play.firstDelayMs > 0) await sleep(play.firstDelayMs);
    if (response.destroyed) return;
    if (play.end === 'refuse') {
      isOver = true;
      response.destroy();
      return;
    }
    await perform(play, response);
    if (play.end === 'hang') return;
    isOver = !response.destroyed;
    if (play.end === 'close') response.end();
    else response.destroy();
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    openaiBaseUrl: `${url}/v1`,
    azureEndpoint: url,
    anthropicBaseUrl: url,
    ollamaHost: url,
    requests,
    countOf: (prompt) => countPrompts(requests, prompt),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Writes everything but the end. Without a pause, writes are made at once and only a full buffer waits. */
async function perform(play: VendorPlay, response: ServerResponse): Promise<void> {
  response.writeHead(play.status, play.headers);
  response.flushHeaders();
  for (const [index, bytes] of play.writes.entries()) {
    if (index > 0 && play.delayMs > 0) await sleep(play.delayMs);
    if (response.destroyed) return;
    if (!response.write(bytes))
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  // What was written must leave before a destroy, or the reader never sees the tokens before a cut.
  if (play.end === 'destroy') await flushed(response);
}

async function flushed(response: ServerResponse): Promise<void> {
  while (response.writableLength > 0 && !response.destroyed) await nextTurn();
  await nextTurn();
}

function readHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    // The chooser refuses a request without a body.
    return undefined;
  }
}
