/** The official `openai` SDK, pointed at a gateway. */

import OpenAI from 'openai';

export {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai';

/** Where a client's requests go. */
export interface OpenAIClientOptions {
  /** With `/v1`. */
  readonly baseURL: string;
  readonly apiKey: string;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
}

/** A client that tries nothing a second time, so that a test sees every answer. */
export function createOpenAIClient(options: OpenAIClientOptions): OpenAI {
  return new OpenAI({ ...options, maxRetries: 0 });
}
