/** Anthropic's message stream → model events. */

import { GatewayError } from '../../protocol/errors.ts';
import type { FinishReason, ModelEvent } from '../contract.ts';
import { cut, type EventConverter, parseEvent, reported } from '../event-converter.ts';

interface Usage {
  readonly input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly output_tokens?: number | null;
}

/** The part of an event that is read, whatever its `type`. */
interface StreamEvent {
  readonly type?: string;
  readonly message?: { readonly usage?: Usage | null };
  readonly delta?: {
    readonly type?: string;
    readonly text?: string;
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

const VENDOR = 'Anthropic';

/**
 * A converter for one answer. `message_stop` is the end; the stop reason comes before it, in
 * `message_delta`, and is held until then. Thinking, tool input and unknown events are no text.
 */
export function createAnthropicConverter(): EventConverter {
  let stopReason: string | undefined;
  let isStopped = false;
  const input = { plain: 0, written: 0, read: 0 };

  /** What was written to or read from the prompt cache is input too: `input_tokens` leaves it out. */
  function pushInput(usage: Usage | null | undefined, batch: ModelEvent[]): void {
    if (usage?.input_tokens == null) return;
    input.plain = usage.input_tokens;
    input.written = usage.cache_creation_input_tokens ?? input.written;
    input.read = usage.cache_read_input_tokens ?? input.read;
    batch.push({ type: 'usage', inputTokens: input.plain + input.written + input.read });
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
          }
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
function toStreamError(error: StreamEvent['error']): GatewayError {
  if (error?.type === 'overloaded_error' || error?.type === 'rate_limit_error') {
    return new GatewayError('unavailable', 'Anthropic is overloaded.', { cause: error });
  }
  return reported(VENDOR, error);
}
