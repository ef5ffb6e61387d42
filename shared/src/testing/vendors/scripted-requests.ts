/** Reads a request to a scripted vendor and chooses the play for it. */

import { countWords, readDirective } from './directive.ts';
import { anthropicFormat, ollamaFormat, openaiFormat } from './formats.ts';
import { createPlay, refuse, type VendorFormat, type VendorPlay } from './play.ts';

/** One request that a scripted vendor got. */
export interface RecordedRequest {
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed JSON body; undefined where it was none. */
  readonly body: unknown;
  /** True once the client went away before the answer's end. */
  aborted: boolean;
}

/** A running scripted vendor, over HTTP or in memory. */
export interface ScriptedVendor {
  readonly url: string;
  /** For `OPENAI_BASE_URL`. */
  readonly openaiBaseUrl: string;
  /** For `ANTHROPIC_BASE_URL`. */
  readonly anthropicBaseUrl: string;
  /** For `OLLAMA_HOST`. */
  readonly ollamaHost: string;
  /** In the order they came. */
  readonly requests: RecordedRequest[];
  /** Given by a vendor in memory, which no other fetch reaches. */
  readonly fetch?: typeof fetch;
  close(): Promise<void>;
}

interface Endpoint {
  readonly format: VendorFormat;
  /** True where the request carries the vendor's kind of key. */
  isAuthorised(headers: RecordedRequest['headers']): boolean;
  maxTokens(body: RequestBody): number | undefined;
}

interface RequestBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly system?: string;
  readonly messages?: readonly { readonly role: string; readonly content: string }[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly options?: { readonly num_predict?: number };
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': {
    format: openaiFormat,
    isAuthorised: ({ authorization = '' }) => /^Bearer \S+$/.test(authorization),
    maxTokens: (body) => body.max_completion_tokens ?? body.max_tokens,
  },
  '/v1/messages': {
    format: anthropicFormat,
    // API version 2026-10-21 takes the key as a bearer token; the versions before it, as x-api-key.
    isAuthorised: ({ authorization = '', ...headers }) =>
      Boolean(headers['anthropic-version']) &&
      (/^Bearer \S+$/.test(authorization) || Boolean(headers['x-api-key'])),
    maxTokens: (body) => body.max_tokens,
  },
  '/api/chat': {
    format: ollamaFormat,
    isAuthorised: () => true,
    maxTokens: (body) => body.options?.num_predict,
  },
};

/** Plays worth keeping: a bench asks for the same one thousands of times. */
const MAX_CACHED_PLAYS = 256;

/** Makes a chooser with its own cache of plays. */
export function createPlayChooser(): (request: RecordedRequest) => VendorPlay {
  const cache = new Map<string, VendorPlay>();
  return (request) => {
    const endpoint = ENDPOINTS[request.path];
    if (!endpoint) return refuse(openaiFormat, 404);
    if (!endpoint.isAuthorised(request.headers)) return refuse(endpoint.format, 401);
    const body = request.body as RequestBody | undefined;
    if (!body?.model || !body.messages || body.stream !== true) return refuse(endpoint.format, 400);
    const prompt = body.messages.findLast(({ role }) => role === 'user')?.content ?? '';
    const spoken = [body.system ?? '', ...body.messages.map(({ content }) => content)];
    const inputTokens = spoken.reduce((sum, text) => sum + countWords(text), 0);
    const maxTokens = endpoint.maxTokens(body) ?? Number.POSITIVE_INFINITY;
    const key = JSON.stringify([request.path, body.model, inputTokens, maxTokens, prompt]);
    const known = cache.get(key);
    if (known) return known;
    const facts = { model: body.model, inputTokens, maxTokens };
    const play = createPlay(endpoint.format, readDirective(prompt), facts);
    if (cache.size >= MAX_CACHED_PLAYS) cache.clear();
    cache.set(key, play);
    return play;
  };
}
