import { expect, it } from 'vitest';
import { rateLimited } from '../gateway/rate-limited.ts';
import {
  ERROR_TABLE,
  type ErrorCode,
  errorHeaders,
  GatewayError,
  toWireError,
} from '../protocol/errors.ts';
import {
  type APIError,
  AuthenticationError,
  createOpenAIClient,
  RateLimitError,
} from '../testing/openai-client.ts';
import { apiErrorBody, apiErrorHeaders } from './api-error.ts';

/** What the SDK throws for an error of ours. */
async function thrownFor(error: GatewayError): Promise<APIError> {
  const wire = toWireError(error);
  const headers = { ...errorHeaders(error), ...apiErrorHeaders(wire), 'x-request-id': 'r1' };
  const client = createOpenAIClient({
    baseURL: 'http://gateway.invalid/v1',
    apiKey: 'k',
    fetch: async () => Response.json(apiErrorBody(wire), { status: error.status, headers }),
  });
  return client.models.list().then(
    () => expect.fail('nothing was thrown'),
    (thrown: unknown) => thrown as APIError,
  );
}

it('OPENAI-5: the SDK throws its own classes, with message, code and request id', async () => {
  const refused = await thrownFor(new GatewayError('unauthorized', 'No.'));
  expect(refused).toBeInstanceOf(AuthenticationError);
  expect(refused).toMatchObject({
    status: 401,
    message: '401 No.',
    type: 'authentication_error',
    code: 'invalid_api_key',
    param: null,
    requestID: 'r1',
  });
  const limited = await thrownFor(rateLimited(7));
  expect(limited).toBeInstanceOf(RateLimitError);
  expect(limited).toMatchObject({ type: 'rate_limit_error', code: 'rate_limit_exceeded' });
  expect(limited.headers?.get('retry-after')).toBe('7');
});

it('OPENAI-5: a faulty field is named as OpenAI names it', () => {
  const fields = [{ path: 'messages.0.content.12.type', message: 'no' }];
  const error = new GatewayError('validation_failed', 'No.', { details: { fields } });
  expect(apiErrorBody(toWireError(error)).error.param).toBe('messages[0].content[12].type');
  const body = new GatewayError('validation_failed', 'No.', {
    details: { fields: [{ path: '', message: 'no' }] },
  });
  expect(apiErrorBody(toWireError(body)).error.param).toBeNull();
});

it('OPENAI-5: a model that is not there has the code that clients look for', () => {
  const details = { fields: [{ path: 'model', message: 'no' }] };
  expect(
    apiErrorBody(toWireError(new GatewayError('not_found', 'No.', { details }))).error,
  ).toEqual({
    message: 'No.',
    type: 'invalid_request_error',
    param: 'model',
    code: 'model_not_found',
  });
});

it('OPENAI-5: every code has a type, and only those that may work later say "retry"', () => {
  for (const [code, { retryable }] of Object.entries(ERROR_TABLE)) {
    const error = new GatewayError(code as ErrorCode, 'No.');
    expect(apiErrorBody(toWireError(error)).error.type).toMatch(/_error$/);
    expect(apiErrorHeaders(toWireError(error))['x-should-retry']).toBe(String(retryable));
  }
});
