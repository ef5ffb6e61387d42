import { describe, expect, it } from 'vitest';
import { corsHeaders, preflightHeaders } from './cors.ts';

const PRODUCTION = { allowedOrigins: ['https://app.example.com'], devMode: false };
const DEV = { allowedOrigins: [], devMode: true };

describe('corsHeaders', () => {
  it('CORS-1: a listed origin is echoed, with credentials and a Vary', () => {
    expect(corsHeaders('https://app.example.com', PRODUCTION)).toEqual({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers':
        'x-request-id, retry-after, location, idempotent-replayed, preference-applied, x-stream-url',
      vary: 'Origin',
    });
  });

  it.each([
    ...['https://app.example.com.evil.org', 'http://app.example.com', 'https://APP.example.com'],
    ...[
      'https://app.example.com:8443',
      'https://app.example.com/',
      'http://localhost:3000',
      '*',
      '',
    ],
  ])('CORS-1: the origin %j gets no headers', (origin) => {
    expect(corsHeaders(origin, PRODUCTION)).toBeUndefined();
  });

  it('CORS-1: a request without an origin gets no headers', () => {
    expect(corsHeaders(null, PRODUCTION)).toBeUndefined();
    expect(corsHeaders(undefined, DEV)).toBeUndefined();
  });

  it.each([
    'http://localhost',
    'http://localhost:5173',
    'http://127.0.0.1:8787',
    'http://[::1]:80',
  ])('CORS-2: %s may call in DEV_MODE', (origin) => {
    expect(corsHeaders(origin, DEV)?.['access-control-allow-origin']).toBe(origin);
  });

  it.each([
    ...['http://localhost.evil.org', 'http://localhost:80.evil.org', 'http://127.0.0.2'],
    ...['https://localhost', 'http://localhost:', 'http://evil.org/http://localhost'],
    'http://localhost\n',
  ])('CORS-2: %j may not call in DEV_MODE', (origin) => {
    expect(corsHeaders(origin, DEV)).toBeUndefined();
  });

  it('CORS-3: the origin "null" is refused, even when it is listed', () => {
    expect(corsHeaders('null', { allowedOrigins: ['null'], devMode: true })).toBeUndefined();
  });
});

describe('preflightHeaders', () => {
  it('CORS-4: a preflight is told methods, headers and for how long that holds', () => {
    expect(preflightHeaders('http://localhost:5173', DEV)).toMatchObject({
      'access-control-allow-origin': 'http://localhost:5173',
      'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
      'access-control-allow-headers': expect.stringMatching(
        /^authorization, content-type, last-event-id, idempotency-key, x-api-key, x-request-id, prefer, x-stainless-arch/,
      ),
      'access-control-max-age': '600',
    });
  });

  it('CORS-4: a preflight of a refused origin gets no headers', () => {
    expect(preflightHeaders('https://evil.example', DEV)).toBeUndefined();
  });
});
