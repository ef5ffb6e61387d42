import { describe, expect, it } from 'vitest';
import {
  ERROR_TABLE,
  errorBody,
  errorHeaders,
  GatewayError,
  toGatewayError,
  toWireError,
} from './errors.ts';

describe('errors', () => {
  it('HOST-2: every code has its status, its close code beside it, and says whether to try again', () => {
    expect(
      Object.entries(ERROR_TABLE).map(([code, { status, retryable }]) => [code, status, retryable]),
    ).toEqual([
      ['validation_failed', 400, false],
      ['unauthorized', 401, false],
      ['forbidden', 403, false],
      ['not_found', 404, false],
      ['conflict', 409, false],
      ['expired', 410, false],
      ['payload_too_large', 413, false],
      ['unsupported_media_type', 415, false],
      ['unprocessable', 422, false],
      ['rate_limited', 429, true],
      ['processing_failed', 500, false],
      ['upstream_failed', 502, true],
      ['unavailable', 503, true],
      ['upstream_timeout', 504, true],
    ]);
    for (const { status, closeCode } of Object.values(ERROR_TABLE)) {
      expect(closeCode).toBe(4000 + status);
    }
  });

  it('HOST-2: what is not ours is told in general words, and kept as the cause', () => {
    const thrown = new Error('key sk-secret in /srv/app');
    const error = toGatewayError(thrown);
    expect(error).toMatchObject({ code: 'processing_failed', status: 500, cause: thrown });
    expect(JSON.stringify(errorBody(error, 'r1'))).not.toContain('secret');
    expect(toGatewayError('text').code).toBe('processing_failed');
    const ours = new GatewayError('expired', 'Gone.');
    expect(toGatewayError(ours)).toBe(ours);
  });

  it('HOST-2: the body has code, message, request id, and details where there are some', () => {
    const plain = new GatewayError('not_found', 'Nothing here.', { cause: new Error('private') });
    expect(errorBody(plain, 'r1')).toEqual({
      error: { code: 'not_found', message: 'Nothing here.', requestId: 'r1' },
    });
    const details = { fields: [{ path: 'a.b', message: 'is missing' }] };
    expect(toWireError(new GatewayError('validation_failed', 'Faults.', { details }))).toEqual({
      code: 'validation_failed',
      message: 'Faults.',
      details,
    });
  });

  it('RATE-2: a wait is also a header, in whole seconds of at least one', () => {
    const limited = (retryAfterSeconds: number) =>
      errorHeaders(new GatewayError('rate_limited', '', { details: { retryAfterSeconds } }));
    expect(limited(2.1)).toEqual({ 'retry-after': '3' });
    expect(limited(0)).toEqual({ 'retry-after': '1' });
    expect(errorHeaders(new GatewayError('rate_limited', ''))).toEqual({});
  });
});
