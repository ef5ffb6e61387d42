/** What a vendor of model answers must do. One folder a vendor implements it. */

/** One turn of a conversation, in the order it was said. */
export interface ModelMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

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
  /** Stable, non-identifying id of the stream, for vendors that take one for correlation. */
  readonly streamId?: string;
}

/** Why an answer ended, in OpenAI's words; `other` is a reason this table does not know. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'other';

/** One thing a vendor said. */
export type ModelEvent =
  | { readonly type: 'text'; readonly text: string }
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
export type ProviderName = 'openai' | 'anthropic' | 'ollama' | 'echo';
