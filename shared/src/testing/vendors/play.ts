/** What a scripted vendor sends for one request, as plain data. */

import {
  answerTokens,
  type ScriptedToolCall,
  sentTokens,
  type VendorDirective,
} from './directive.ts';

/** One vendor's wire format. */
export interface VendorFormat {
  readonly contentType: string;
  /** Everything in front of the first token. */
  head(facts: PlayFacts): string;
  token(text: string, facts: PlayFacts): string;
  /** Says nothing, but that the vendor is still there. */
  keepAlive(): string;
  /** A tool call, in as many events as the vendor makes of it. */
  toolCall(call: ScriptedToolCall, index: number, facts: PlayFacts): string[];
  /** Everything after the last token. A reason of undefined leaves the reason out, and nothing else. */
  tail(facts: PlayFacts, reason: PlayReason | undefined, withUsage: boolean): string;
  errorEvent(): string;
  malformedEvent(): string;
  /** The body of a refusal. */
  refusal(status: number): string;
}

/** What the events of a play are filled with. */
export interface PlayFacts {
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Why an answer ended, in OpenAI's words. */
export type PlayReason = 'stop' | 'length' | 'content_filter' | 'tool_calls';

/**
 * How it ends: by the protocol, by destroying the connection, not at all, or by destroying the
 * connection before anything was sent.
 */
export type PlayEnd = 'close' | 'destroy' | 'hang' | 'refuse';

/** An answer, ready to be written. */
export interface VendorPlay {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly writes: readonly Uint8Array[];
  readonly delayMs: number;
  readonly firstDelayMs: number;
  readonly end: PlayEnd;
}

/** What a request says, beside the directive. */
export interface PlayRequest {
  readonly model: string;
  readonly inputTokens: number;
  /** As a real vendor, the play stops there, with the reason `length`. */
  readonly maxTokens: number;
}

const encoder = new TextEncoder();

/** Sets the play out. Pure: the same directive and request give the same bytes. */
export function createPlay(
  format: VendorFormat,
  directive: VendorDirective,
  request: PlayRequest,
): VendorPlay {
  const { delayMs = 0, firstDelayMs = 0, status } = directive;
  if (status !== undefined) return refuse(format, status, directive.retryAfter, firstDelayMs);
  const texts = body(format, directive, request);
  const bytes = texts.filter((text) => text !== '').map((text) => encoder.encode(text));
  return {
    status: 200,
    headers: { 'content-type': format.contentType },
    writes: directive.bytesPerWrite ? recut(bytes, directive.bytesPerWrite) : bytes,
    delayMs,
    firstDelayMs,
    end: endOf(directive),
  };
}

function endOf({ fault }: VendorDirective): PlayEnd {
  switch (fault) {
    case 'cut':
    case 'destroy-mid-event':
      return 'destroy';
    case 'stall':
      return 'hang';
    case 'refuse':
      return 'refuse';
    default:
      return 'close';
  }
}

/** A refusal, also for requests that reach no directive (no key, no such path). */
export function refuse(
  format: VendorFormat,
  status: number,
  retryAfter?: string,
  firstDelayMs = 0,
): VendorPlay {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (retryAfter !== undefined) headers['retry-after'] = retryAfter;
  const writes = [encoder.encode(format.refusal(status))];
  return { status, headers, writes, delayMs: 0, firstDelayMs, end: 'close' };
}

function body(format: VendorFormat, directive: VendorDirective, request: PlayRequest): string[] {
  const { fault } = directive;
  if (fault === 'empty' || fault === 'refuse') return [];
  const all = answerTokens(directive);
  const allowed = all.slice(0, request.maxTokens);
  const facts: PlayFacts = {
    model: request.model,
    inputTokens: request.inputTokens,
    outputTokens: allowed.length,
  };
  const event = (text: string) => format.token(text, facts);
  const sent = allowed.slice(0, sentTokens(directive, allowed.length)).map(event);
  const { keepAlives = 0, toolCalls = [] } = directive;
  const calls = toolCalls.flatMap((call, index) => format.toolCall(call, index, facts));
  const ownReason = toolCalls.length > 0 ? 'tool_calls' : 'stop';
  const reason = directive.finish ?? (allowed.length < all.length ? 'length' : ownReason);
  const alive = Array.from({ length: keepAlives }, () => format.keepAlive());
  return [format.head(facts), ...alive, ...sent, ...calls, ...ending()];

  function ending(): string[] {
    const next = event('never seen in full');
    switch (fault) {
      case 'cut':
      case 'close-early':
      case 'stall':
        return [];
      case 'cut-mid-event':
      case 'destroy-mid-event':
        return [next.slice(0, Math.floor(next.length / 2))];
      case 'error-event':
        return [format.errorEvent()];
      case 'malformed':
        return [format.malformedEvent()];
      case 'no-finish':
        return [format.tail(facts, undefined, true)];
      case 'double-finish': {
        // OpenAI's very last word would hide the second finish.
        const first = format.tail(facts, reason, false).replace('data: [DONE]\n\n', '');
        return [first, format.tail(facts, reason, true)];
      }
      case 'no-usage':
        return [format.tail(facts, reason, false)];
      default:
        return [format.tail(facts, reason, true)];
    }
  }
}

/** The same bytes in pieces of `size`, wherever that falls. */
export function recut(chunks: readonly Uint8Array[], size: number): Uint8Array[] {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < whole.length; from += size) {
    pieces.push(whole.subarray(from, from + size));
  }
  return pieces;
}
