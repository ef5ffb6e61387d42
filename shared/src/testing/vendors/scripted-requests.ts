/** Reads a request to a scripted vendor and chooses the play for it. */

import { countWords, directiveAt, readDirective, type VendorDirective } from './directive.ts';
import { embedPlay } from './embeddings.ts';
import { anthropicFormat, azureFormat, ollamaFormat, openaiFormat } from './formats.ts';
import { listPlay } from './model-lists.ts';
import { createPlay, refuse, type VendorFormat, type VendorPlay } from './play.ts';

/** One request that a scripted vendor got. */
export interface RecordedRequest {
  readonly path: string;
  /** Of the URL's query. */
  readonly query: Readonly<Record<string, string>>;
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
  /** For `AZURE_OPENAI_ENDPOINT`. */
  readonly azureEndpoint: string;
  /** For `ANTHROPIC_BASE_URL`. */
  readonly anthropicBaseUrl: string;
  /** For `OLLAMA_HOST`. */
  readonly ollamaHost: string;
  /** In the order they came. */
  readonly requests: RecordedRequest[];
  /** How often this prompt was asked, as far as requests are recorded. */
  countOf(prompt: string): number;
  /** Given by a vendor in memory, which no other fetch reaches. */
  readonly fetch?: typeof fetch;
  close(): Promise<void>;
}

interface Endpoint {
  readonly format: VendorFormat;
  /** True where the request carries the vendor's kind of key. */
  isAuthorised(request: RecordedRequest): boolean;
  maxTokens(body: RequestBody): number | undefined;
}

interface Message {
  readonly role: string;
  readonly content?: string | readonly { readonly type: string; readonly text?: string }[] | null;
}

interface RequestBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly system?: string;
  readonly messages?: readonly Message[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly options?: { readonly num_predict?: number };
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': {
    format: openaiFormat,
    isAuthorised: ({ headers: { authorization = '' } }) => /^Bearer \S+$/.test(authorization),
    maxTokens: (body) => body.max_completion_tokens ?? body.max_tokens,
  },
  '/v1/messages': {
    format: anthropicFormat,
    isAuthorised: ({ headers }) => Boolean(headers['anthropic-version']) && hasKey(headers),
    maxTokens: (body) => body.max_tokens,
  },
  '/api/chat': {
    format: ollamaFormat,
    isAuthorised: () => true,
    maxTokens: (body) => body.options?.num_predict,
  },
};

const AZURE_PATH = /^\/openai\/deployments\/[^/]+\/chat\/completions$/;

const AZURE_ENDPOINT: Endpoint = {
  format: azureFormat,
  isAuthorised: ({ headers, query }) =>
    Boolean(headers['api-key']) && /^\d{4}-\d{2}-\d{2}/.test(query['api-version'] ?? ''),
  maxTokens: (body) => body.max_completion_tokens ?? body.max_tokens,
};

/** API version 2026-10-21 takes the key as a bearer token; the versions before it, as x-api-key. */
function hasKey({ authorization = '', ...headers }: RecordedRequest['headers']): boolean {
  return /^Bearer \S+$/.test(authorization) || Boolean(headers['x-api-key']);
}

/** Plays worth keeping: a bench asks for the same one thousands of times. */
const MAX_CACHED_PLAYS = 256;

/** One turn of a request, as text. */
export interface SaidTurn {
  readonly role: string;
  readonly text: string;
}

/** A model that makes up its mind by what it is given; `undefined`: by the prompt's directive. */
export type ScriptedMind = (
  turns: readonly SaidTurn[],
  model: string,
) => VendorDirective | undefined;

/** Makes a chooser with its own cache of plays, and its own count of the prompts that fail at first. */
export function createPlayChooser(mind?: ScriptedMind): (request: RecordedRequest) => VendorPlay {
  const cache = new Map<string, VendorPlay>();
  const attempts = new Map<string, number>();

  function attemptOf(prompt: string): number {
    const attempt = (attempts.get(prompt) ?? 0) + 1;
    attempts.set(prompt, attempt);
    return attempt;
  }

  return (request) => {
    const whole = listPlay(request) ?? embedPlay(request);
    if (whole) return whole;
    const azure = AZURE_PATH.test(request.path) ? AZURE_ENDPOINT : undefined;
    const endpoint = azure ?? ENDPOINTS[request.path];
    if (!endpoint) return refuse(openaiFormat, 404);
    if (!endpoint.isAuthorised(request)) return refuse(endpoint.format, 401);
    const body = request.body as RequestBody | undefined;
    if (!body?.model || !body.messages || body.stream !== true) return refuse(endpoint.format, 400);
    const prompt = promptOf(request.body);
    const spoken = [body.system ?? '', ...body.messages.map(textOf)];
    const inputTokens = spoken.reduce((sum, text) => sum + countWords(text), 0);
    const maxTokens = endpoint.maxTokens(body) ?? Number.POSITIVE_INFINITY;
    const facts = { model: body.model, inputTokens, maxTokens };
    const own = mind?.(turnsOf(body), body.model);
    if (own !== undefined) return createPlay(endpoint.format, own, facts);
    if (prompt.includes('"failTimes"')) {
      const directive = directiveAt(readDirective(prompt), attemptOf(prompt));
      return createPlay(endpoint.format, directive, facts);
    }
    const key = JSON.stringify([request.path, body.model, inputTokens, maxTokens, prompt]);
    const known = cache.get(key);
    if (known) return known;
    const play = createPlay(endpoint.format, readDirective(prompt), facts);
    if (cache.size >= MAX_CACHED_PLAYS) cache.clear();
    cache.set(key, play);
    return play;
  };
}

/** How often a prompt is among the requests. */
export function countPrompts(requests: readonly RecordedRequest[], prompt: string): number {
  return requests.filter(({ body }) => promptOf(body) === prompt).length;
}

/** The text of the last user turn that has any: a turn of tool results has none. */
function promptOf(body: unknown): string {
  const { messages = [] } = (body ?? {}) as RequestBody;
  const said = messages.findLast((message) => message.role === 'user' && textOf(message) !== '');
  return said === undefined ? '' : textOf(said);
}

/** Anthropic's rules stand beside the messages. */
function turnsOf({ system, messages = [] }: RequestBody): SaidTurn[] {
  const turns = messages.map((message) => ({ role: message.role, text: textOf(message) }));
  return system === undefined ? turns : [{ role: 'system', text: system }, ...turns];
}

function textOf({ content }: Message): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map(({ type, text }) => (type === 'text' ? (text ?? '') : '')).join('');
}
