/** Anthropic's message stream → model events. */

import type { FinishReason, ModelEvent } from '../contract.ts';
import { cut, type EventConverter, parseEvent, reported } from '../event-converter.ts';
import { VendorError } from '../vendor-error.ts';

interface Usage {
  readonly input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly output_tokens?: number | null;
}

/** The part of an event that is read, whatever its `type`. */
interface StreamEvent {
  readonly type?: string;
  /** Of the content block. */
  readonly index?: number;
  readonly content_block?: {
    readonly type?: string;
    readonly id?: string;
    readonly name?: string;
    readonly input?: object | null;
  };
  readonly message?: { readonly usage?: Usage | null };
  readonly delta?: {
    readonly type?: string;
    readonly text?: string;
    readonly partial_json?: string;
    readonly stop_reason?: string | null;
  };
  readonly usage?: Usage | null;
  readonly error?: { readonly type?: string };
}

/** https://docs.anthropic.com/en/api/handling-stop-reasons */
const STOP_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'content_filter',
  tool_use: 'tool_calls',
};

/** A tool call that is being written. */
interface OpenCall {
  readonly number: number;
  /** What its block started with; the pieces replace it. */
  readonly given: object;
  hasArguments: boolean;
}

const VENDOR = 'Anthropic';

/**
 * A converter for one answer. `message_stop` is the end; the stop reason comes before it, in
 * `message_delta`, and is held until then. Thinking and unknown events are no text. A tool call has
 * its own number among the calls, not that of its content block.
 */
export function createAnthropicConverter(): EventConverter {
  let stopReason: string | undefined;
  let isStopped = false;
  const input = { plain: 0, written: 0, read: 0 };
  const calls = new Map<number, OpenCall>();

  /** What was written to or read from the prompt cache is input too: `input_tokens` leaves it out. */
  function pushInput(usage: Usage | null | undefined, batch: ModelEvent[]): void {
    if (usage?.input_tokens == null) return;
    input.plain = usage.input_tokens;
    input.written = usage.cache_creation_input_tokens ?? input.written;
    input.read = usage.cache_read_input_tokens ?? input.read;
    batch.push({ type: 'usage', inputTokens: input.plain + input.written + input.read });
  }

  function openCall(
    { index = calls.size, content_block: block }: StreamEvent,
    batch: ModelEvent[],
  ) {
    const call = { number: calls.size, given: block?.input ?? {}, hasArguments: false };
    calls.set(index, call);
    const id = block?.id || `call_${call.number}`;
    const name = block?.name ?? '';
    batch.push({ type: 'tool_call', index: call.number, id, name, arguments: '' });
  }

  function pushArguments(index: number | undefined, text: string, batch: ModelEvent[]): void {
    const call = calls.get(index ?? -1);
    // The input of a vendor's own server tool is nothing its caller could act on.
    if (call === undefined) return;
    call.hasArguments = true;
    batch.push({ type: 'tool_call', index: call.number, arguments: text });
  }

  /** A tool without parameters gets no piece of JSON, but its caller parses what it gets. */
  function closeCall(index: number | undefined, batch: ModelEvent[]): void {
    const call = calls.get(index ?? -1);
    if (call !== undefined && !call.hasArguments) {
      pushArguments(index, JSON.stringify(call.given), batch);
    }
  }

  return {
    vendor: VENDOR,
    convert(data, batch) {
      const event = parseEvent<StreamEvent>(data, VENDOR);
      switch (event.type) {
        case 'message_start':
          // Its output count is a placeholder, which would stand as the truth of a cut answer.
          pushInput(event.message?.usage, batch);
          break;
        case 'content_block_delta':
          if (event.delta?.type === 'text_delta' && event.delta.text) {
            batch.push({ type: 'text', text: event.delta.text });
          } else if (event.delta?.partial_json) {
            pushArguments(event.index, event.delta.partial_json, batch);
          }
          break;
        case 'content_block_start':
          if (event.content_block?.type === 'tool_use') openCall(event, batch);
          break;
        case 'content_block_stop':
          closeCall(event.index, batch);
          break;
        case 'message_delta':
          pushInput(event.usage, batch);
          pushOutput(event.usage, batch);
          stopReason = event.delta?.stop_reason ?? stopReason;
          break;
        case 'message_stop':
          if (stopReason === undefined) throw cut(VENDOR);
          isStopped = true;
          batch.push({ type: 'finish', reason: STOP_REASONS[stopReason] ?? 'other' });
          break;
        case 'error':
          throw toStreamError(event.error);
      }
    },
    ended: () => isStopped,
    whole: () => isStopped,
  };
}

function pushOutput(usage: Usage | null | undefined, batch: ModelEvent[]): void {
  if (usage?.output_tokens == null) return;
  batch.push({ type: 'usage', outputTokens: usage.output_tokens });
}

/** Busy is a reason to ask again later; anything else is a failure. */
function toStreamError(error: StreamEvent['error']): VendorError {
  if (error?.type === 'overloaded_error' || error?.type === 'rate_limit_error') {
    return new VendorError('overloaded', 'unavailable', 'Anthropic is overloaded.', {
      cause: error,
    });
  }
  return reported(VENDOR, error);
}
