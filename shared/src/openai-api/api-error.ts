/**
 * The gateway's errors in OpenAI's shape, which its SDKs turn into their own error classes.
 * https://platform.openai.com/docs/guides/error-codes
 */

import { ERROR_TABLE, type ErrorCode, type WireError } from '../protocol/errors.ts';

/** Body of an error, and `data:` of one in mid-stream. */
export interface ApiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    /** The faulty field, as `messages[0].content`. */
    readonly param: string | null;
    readonly code: string;
  };
}

const TYPES: Readonly<Record<ErrorCode, string>> = {
  validation_failed: 'invalid_request_error',
  unauthorized: 'authentication_error',
  forbidden: 'permission_error',
  not_found: 'invalid_request_error',
  conflict: 'invalid_request_error',
  expired: 'invalid_request_error',
  payload_too_large: 'invalid_request_error',
  unsupported_media_type: 'invalid_request_error',
  unprocessable: 'invalid_request_error',
  rate_limited: 'rate_limit_error',
  processing_failed: 'api_error',
  upstream_failed: 'api_error',
  unavailable: 'api_error',
  upstream_timeout: 'api_error',
};

/** OpenAI's own word for a code, where clients look for it. */
const CODES: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthorized: 'invalid_api_key',
  rate_limited: 'rate_limit_exceeded',
};

/** An error as OpenAI writes it. */
export function apiErrorBody(error: WireError): ApiErrorBody {
  const path = error.details?.fields?.[0]?.path;
  const param = path ? path.replace(/\.(\d+)(?=\.|$)/g, '[$1]') : null;
  const code =
    error.code === 'not_found' && param === 'model'
      ? 'model_not_found'
      : (CODES[error.code] ?? error.code);
  return { error: { message: error.message, type: TYPES[error.code], param, code } };
}

/** What such an answer adds to its headers: OpenAI's SDKs obey it before the status. */
export function apiErrorHeaders({ code }: WireError): Record<string, string> {
  return { 'x-should-retry': String(ERROR_TABLE[code].retryable) };
}
