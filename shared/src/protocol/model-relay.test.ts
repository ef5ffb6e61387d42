import { describe, expect, it } from 'vitest';
import { parseRelayLine, parseRelayRequest } from './model-relay.ts';

describe('a line of the relay', () => {
  it('is a batch of events, or the end', () => {
    expect(parseRelayLine('{"events":[{"type":"text","text":"a"}]}')).toEqual([
      { type: 'text', text: 'a' },
    ]);
    expect(parseRelayLine('{"end":true}')).toBe('end');
  });

  it('is the error of the origin, with its code, words and details', () => {
    const error = { code: 'rate_limited', message: 'Wait.', details: { retryAfterSeconds: 3 } };
    expect(() => parseRelayLine(JSON.stringify({ error }))).toThrowError(
      expect.objectContaining(error),
    );
  });

  it('STREAM-11: is `upstream_failed` where it is malformed or its code is unknown', () => {
    for (const line of ['', '{', '{}', '[]', '1', '{"end":false}', '{"error":{"code":"odd"}}']) {
      expect(() => parseRelayLine(line), line).toThrowError(
        expect.objectContaining({ code: 'upstream_failed' }),
      );
    }
  });
});

describe('a relayed request', () => {
  const request = { model: 'llama', messages: [{ role: 'user', content: 'hi' }], maxTokens: 9 };

  it('comes back as it was sent', () => {
    expect(parseRelayRequest(request)).toEqual(request);
    const full = { ...request, temperature: 0.5, streamId: 's1' };
    expect(parseRelayRequest(JSON.parse(JSON.stringify(full)))).toEqual(full);
  });

  it('is refused where it is none', () => {
    for (const body of [null, {}, { ...request, messages: [] }, { ...request, maxTokens: 0 }]) {
      expect(() => parseRelayRequest(body)).toThrowError(
        expect.objectContaining({ code: 'validation_failed' }),
      );
    }
  });
});
