import { describe, expect, it } from 'vitest';
import type { ModelRequest } from '../providers/contract.ts';
import { parseRelayLine, parseRelayRequest } from './model-relay.ts';

describe('a line of the relay', () => {
  it('is a batch of events, or the end', () => {
    expect(parseRelayLine('{"events":[{"type":"text","text":"a"}]}')).toEqual([
      { type: 'text', text: 'a' },
    ]);
    const pieces = [
      { type: 'tool_call', index: 0, id: 'c', name: 'look', arguments: '' },
      { type: 'tool_call', index: 0, arguments: '{}' },
    ];
    expect(parseRelayLine(JSON.stringify({ events: pieces }))).toEqual(pieces);
    expect(parseRelayLine('{"end":true}')).toBe('end');
  });

  it('is the error of the origin, with its code, words and details', () => {
    const fields = [{ path: 'messages', message: 'no image by URL' }];
    const details = { retryAfterSeconds: 3, fields };
    const error = { code: 'rate_limited', message: 'Wait.', details };
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
    const url = 'data:image/png;base64,AAAA';
    const full: Required<ModelRequest> = {
      model: 'llama',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: 'What is it?',
          parts: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url, detail: 'low' } },
          ],
        },
        { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'look', arguments: '{}' }] },
        { role: 'tool', content: 'A cat.', toolCallId: 'c' },
      ],
      maxTokens: 9,
      temperature: 0.5,
      tools: [
        { name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: true },
      ],
      toolChoice: { name: 'look' },
      parallelToolCalls: false,
      topP: 0.9,
      stop: ['END'],
      openaiParams: { seed: 7, response_format: { type: 'json_object' } },
      streamId: 's1',
    };
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
