import { expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { requireSocketOrigin, type SocketUpgrade } from './socket-origin.ts';

const POLICY = { allowedOrigins: ['https://app.example.com'], devMode: false };

const judge = (changes: Partial<SocketUpgrade>, query = '') =>
  requireSocketOrigin(
    {
      query: new URLSearchParams(query),
      authorization: null,
      origin: 'https://evil.example.com',
      host: 'gateway.example.com',
      ...changes,
    },
    POLICY,
  );

it('SOCKET-2: with the cookie alone, a page of another site is refused, and so is one without a name', () => {
  for (const origin of ['https://evil.example.com', 'null', 'https://gateway.example.com.evil']) {
    expect(() => judge({ origin })).toThrow(GatewayError);
  }
});

it('SOCKET-2: the gateway’s own pages, listed ones and clients that are no browser may', () => {
  for (const origin of ['https://gateway.example.com', 'https://app.example.com', null]) {
    expect(() => judge({ origin })).not.toThrow();
  }
});

it('SOCKET-2: whoever shows the token itself may, from any page', () => {
  expect(() => judge({}, 'access_token=t')).not.toThrow();
  expect(() => judge({ authorization: 'Bearer t' })).not.toThrow();
});
