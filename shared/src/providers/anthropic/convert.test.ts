import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../testing/vendors/decode-body.ts';
import { createSseDecoder } from '../sse-body.ts';
import { createAnthropicConverter } from './convert.ts';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`./__fixtures__/${name}`, import.meta.url)));
const decode = (bytes: Uint8Array, bytesPerRead?: number) =>
  decodeBody(createSseDecoder(createAnthropicConverter()), bytes, bytesPerRead);
const decodeEvents = (...events: object[]) =>
  decode(new TextEncoder().encode(events.map((e) => `data: ${JSON.stringify(e)}\n\n`).join('')));

describe('anthropic events', () => {
  it.each([undefined, 1, 5, 13])(
    'PROV-3: become the same model events however the bytes are cut (%s a read)',
    (bytesPerRead) => {
      const { text, others, error } = decode(fixture('answer.sse'), bytesPerRead);
      expect(error).toBeUndefined();
      expect(text).toBe('  Héllo,\n漢字 🌊');
      expect(others).toEqual([
        { type: 'usage', inputTokens: 18 },
        { type: 'usage', outputTokens: 12 },
        { type: 'finish', reason: 'stop' },
      ]);
    },
  );

  it('PROV-4: keep the cached input when later totals leave it out', () => {
    const { others } = decodeEvents(
      {
        type: 'message_start',
        message: { usage: { input_tokens: 2, cache_read_input_tokens: 5 } },
      },
      { type: 'message_delta', delta: {}, usage: { input_tokens: 3, output_tokens: 1 } },
    );
    expect(others).toEqual([
      { type: 'usage', inputTokens: 7 },
      { type: 'usage', inputTokens: 8 },
      { type: 'usage', outputTokens: 1 },
    ]);
  });

  it('PROV-6: an overloaded vendor is unavailable, also in the middle of an answer', () => {
    const { text, error } = decode(fixture('overloaded.sse'));
    expect(text).toBe('Half');
    expect(error).toMatchObject({ code: 'unavailable' });
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['refusal', 'content_filter'],
    ['tool_use', 'tool_calls'],
    ['pause_turn', 'other'],
  ])('PROV-5: the stop reason %s is the finish %s', (stopReason, reason) => {
    const delta = { type: 'message_delta', delta: { stop_reason: stopReason } };
    expect(decodeEvents(delta, { type: 'message_stop' }).events).toEqual([
      { type: 'finish', reason },
    ]);
  });

  it('PROV-25: number tool calls among themselves, and give one without parameters an empty object', () => {
    const start = (index: number, block: object) => ({
      type: 'content_block_start',
      index,
      content_block: block,
    });
    const use = { type: 'tool_use', input: {} };
    const piece = (index: number, partial_json: string) => ({
      type: 'content_block_delta',
      index,
      delta: { type: 'input_json_delta', partial_json },
    });
    const { events } = decodeEvents(
      start(0, { type: 'text', text: '' }),
      start(1, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }),
      piece(1, '{"query":"x"}'),
      start(2, { ...use, id: 'a', name: 'f' }),
      piece(2, ''),
      piece(2, '{"x"'),
      piece(2, ':1}'),
      { type: 'content_block_stop', index: 2 },
      start(3, { ...use, id: 'b', name: 'g' }),
      { type: 'content_block_stop', index: 3 },
    );
    expect(events).toEqual([
      { type: 'tool_call', index: 0, id: 'a', name: 'f', arguments: '' },
      { type: 'tool_call', index: 0, arguments: '{"x"' },
      { type: 'tool_call', index: 0, arguments: ':1}' },
      { type: 'tool_call', index: 1, id: 'b', name: 'g', arguments: '' },
      { type: 'tool_call', index: 1, arguments: '{}' },
    ]);
  });

  it('PROV-7: a stop reason without message_stop is a cut answer', () => {
    const { events, error } = decodeEvents({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
    });
    expect(events).toEqual([]);
    expect(error).toMatchObject({ code: 'upstream_failed' });
  });
});
