/** What a vendor of model answers must do. One folder a vendor implements it. */

/** A part of a message that is more than text; OpenAI's shapes, which every adapter converts from. */
export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  /** `url` is https or a `data:` URL. */
  | {
      readonly type: 'image_url';
      readonly image_url: { readonly url: string; readonly detail?: 'auto' | 'low' | 'high' };
    };

/** A function the model asked its caller to run; `arguments` is the JSON text it wrote. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** One turn of a conversation, in the order it was said. */
export interface ModelMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  /** All the text; `''` for a turn of tool calls alone. */
  readonly content: string;
  /** Sent in place of `content`, where a message holds more than text. */
  readonly parts?: readonly ContentPart[];
  /** What an `assistant` turn asked for. */
  readonly toolCalls?: readonly ToolCall[];
  /** The call that a `tool` turn answers. */
  readonly toolCallId?: string;
}

/** A function the model may ask for; `parameters` is a JSON schema. */
export interface ModelTool {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Ask the vendor to hold its arguments to the schema. */
  readonly strict?: boolean;
}

/** Which tool must be asked for; absent means the vendor's default, `auto` where there are tools. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

/** A request to a model, free of any vendor's vocabulary. */
export interface ModelRequest {
  /** The vendor's own model name, without a routing prefix. */
  readonly model: string;
  /** At least one message; any number of `system` ones, which count wherever they stand. */
  readonly messages: readonly ModelMessage[];
  /** Upper bound of the answer, in tokens. */
  readonly maxTokens: number;
  /** 0–2; absent means the vendor's default. */
  readonly temperature?: number;
  readonly tools?: readonly ModelTool[];
  readonly toolChoice?: ToolChoice;
  /** False: at most one call an answer. */
  readonly parallelToolCalls?: boolean;
  /** 0–1. */
  readonly topP?: number;
  /** The answer ends before any of these. */
  readonly stop?: readonly string[];
  /**
   * Further parameters in OpenAI's own words (`seed`, `response_format`, `reasoning_effort` …), sent
   * word for word to vendors that speak its protocol. Others throw `validation_failed` for those
   * that would change the answer's shape, and leave out the rest.
   */
  readonly openaiParams?: Readonly<Record<string, unknown>>;
  /** Stable, non-identifying id of the stream, for vendors that take one for correlation. */
  readonly streamId?: string;
}

/** Why an answer ended, in OpenAI's words; `other` is a reason this table does not know. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'other';

/**
 * A piece of a tool call. The first piece of each `index` (0, 1 …) carries `id` and `name`; the
 * `arguments` of all its pieces, joined, are the JSON text.
 */
export interface ToolCallPiece {
  readonly type: 'tool_call';
  readonly index: number;
  readonly id?: string;
  readonly name?: string;
  readonly arguments: string;
}

/** One thing a vendor said. */
export type ModelEvent =
  | { readonly type: 'text'; readonly text: string }
  | ToolCallPiece
  | { readonly type: 'usage'; readonly inputTokens?: number; readonly outputTokens?: number }
  | { readonly type: 'finish'; readonly reason: FinishReason };

/**
 * A vendor.
 *
 * `stream` MUST send its request when it is first iterated, MUST yield the events of one network
 * read as one batch (never empty), in the vendor's order, MUST stop the upstream request when
 * `signal` aborts or the iterator is returned, and MUST throw only {@link GatewayError}:
 * `upstream_failed` for a refusal, a malformed stream, or a stream that ends before the vendor's
 * own end marker; `upstream_timeout` when the vendor stays silent; `unavailable` when the key is
 * missing or refused, or the vendor limits the rate (with `retryAfterSeconds` where it said so);
 * `validation_failed` when the vendor refuses the request itself (4xx that retrying cannot mend).
 * The messages of these errors are the gateway's own words: an upstream body never leaves.
 * A `usage` event carries running totals: the last value of each field counts.
 */
export interface ModelProvider {
  readonly name: ProviderName;
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<readonly ModelEvent[]>;
}

/** Vendors by the name that callbacks, logs and `/health` show. */
export type ProviderName = 'openai' | 'azure' | 'anthropic' | 'ollama' | 'echo';
