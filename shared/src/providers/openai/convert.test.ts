import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../testing/vendors/decode-body.ts';
import { createSseDecoder } from '../sse-body.ts';
import { createOpenAIConverter } from './convert.ts';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`./__fixtures__/${name}`, import.meta.url)));
const decode = (bytes: Uint8Array, bytesPerRead?: number) =>
  decodeBody(createSseDecoder(createOpenAIConverter()), bytes, bytesPerRead);
const decodeText = (text: string) => decode(new TextEncoder().encode(text));

describe('openai chunks', () => {
  it.each([undefined, 1, 5, 13])(
    'PROV-3: become the same events however the bytes are cut (%s a read)',
    (bytesPerRead) => {
      const { text, others, error } = decode(fixture('answer.sse'), bytesPerRead);
      expect(error).toBeUndefined();
      expect(text).toBe('  Héllo,\n漢字 🌊\n\n[DONE]');
      expect(others).toEqual([
        { type: 'finish', reason: 'stop' },
        { type: 'usage', inputTokens: 11, outputTokens: 7 },
      ]);
    },
  );

  it('PROV-5: give a refusal as text and a repeated finish once', () => {
    const { text, others, error } = decode(fixture('refusal-crlf.sse'), 3);
    expect(error).toBeUndefined();
    expect(text).toBe('I cannot do that.');
    expect(others).toEqual([{ type: 'finish', reason: 'content_filter' }]);
  });

  it('PROV-7: are whole without [DONE] once a finish reason came', () => {
    const finish = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}\n\n';
    expect(decodeText(finish).events).toEqual([{ type: 'finish', reason: 'length' }]);
    expect(decodeText(finish).error).toBeUndefined();
  });

  it('PROV-5: call a finish reason that the table does not know `other`', () => {
    const { events } = decodeText('data: {"choices":[{"finish_reason":"solar_flare"}]}\n\n');
    expect(events).toEqual([{ type: 'finish', reason: 'other' }]);
  });

  it('PROV-6: refuse data that is JSON but no object', () => {
    expect(decodeText('data: 42\n\n').error).toMatchObject({ code: 'upstream_failed' });
  });

  it('PROV-25: give a tool call’s id and name once, also from servers that repeat or forget them', () => {
    const chunk = (...calls: object[]) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: calls } }] })}\n\n`;
    const { events } = decodeText(
      chunk({ index: 0, id: 'a', function: { name: 'f', arguments: '{' } }) +
        chunk({ index: 0, id: 'a', function: { name: 'f', arguments: '}' } }) +
        chunk({ function: { name: 'skipped' } }, { function: { name: 'g', arguments: '{}' } }),
    );
    expect(events).toEqual([
      { type: 'tool_call', index: 0, id: 'a', name: 'f', arguments: '{' },
      { type: 'tool_call', index: 0, arguments: '}' },
      { type: 'tool_call', index: 0, arguments: '' },
      { type: 'tool_call', index: 1, id: 'call_1', name: 'g', arguments: '{}' },
    ]);
  });

  it('PROV-24: are not disturbed by chunks of Azure’s content filter', () => {
    const filter = { choices: [], model: '', prompt_filter_results: [{ prompt_index: 0 }] };
    const late = { choices: [{ index: 0, finish_reason: null, content_filter_offsets: {} }] };
    const text = { choices: [{ index: 0, delta: { content: 'a' } }] };
    const body = [filter, text, late].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
    expect(decodeText(body.join('')).events).toEqual([{ type: 'text', text: 'a' }]);
  });

  it('PROV-2: ignore choices other than the first', () => {
    const second = 'data: {"choices":[{"index":1,"delta":{"content":"no"}}]}\n\n';
    expect(decodeText(second).events).toEqual([]);
  });
});
