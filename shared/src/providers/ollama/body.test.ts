import { describe, expect, it } from 'vitest';
import { PNG_BASE64, TOOL_CONVERSATION } from '../../testing/tool-conversation.ts';
import type { ContentPart } from '../contract.ts';
import { toBody } from './body.ts';

const CONVERSATION = { ...TOOL_CONVERSATION, toolChoice: 'auto' } as const;

describe('an Ollama body', () => {
  it('PROV-25, PROV-26: holds tools, calls and images, and results by their tool’s name', () => {
    const call = (name: string, args: object) => ({ function: { name, arguments: args } });
    expect(toBody(CONVERSATION)).toEqual({
      model: 'the-model',
      stream: true,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Where is it?\n', images: [PNG_BASE64] },
        {
          role: 'assistant',
          content: 'Let me see.',
          tool_calls: [call('weather', { city: 'Oslo' }), call('clock', {})],
        },
        { role: 'tool', content: 'Rain.', tool_name: 'weather' },
        { role: 'tool', content: 'Noon.', tool_name: 'clock' },
        { role: 'assistant', content: '', tool_calls: [call('clock', {})] },
        { role: 'tool', content: 'Later.', tool_name: 'clock' },
        { role: 'user', content: 'And now?' },
      ],
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'Tells the weather.',
            parameters: TOOL_CONVERSATION.tools?.[0]?.parameters,
          },
        },
        { type: 'function', function: { name: 'clock' } },
      ],
      options: { num_predict: 9, top_p: 0.5, stop: ['END'], seed: 7 },
    });
  });

  it('PROV-25: no tool may be called where none is offered, and none can be forced', () => {
    expect(toBody({ ...CONVERSATION, toolChoice: 'none' })).not.toHaveProperty('tools');
    for (const toolChoice of ['required', { name: 'clock' }] as const) {
      expect(() => toBody({ ...CONVERSATION, toolChoice })).toThrow(
        expect.objectContaining({
          code: 'validation_failed',
          message: expect.stringContaining('tool_choice'),
        }),
      );
    }
  });

  it('PROV-26: an image by URL is refused: Ollama fetches nothing', () => {
    const url = 'https://images.example/a.png';
    const parts: ContentPart[] = [{ type: 'image_url', image_url: { url } }];
    const messages = [{ role: 'user', content: '', parts }] as const;
    expect(() => toBody({ model: 'm', messages, maxTokens: 1 })).toThrow(
      expect.objectContaining({ code: 'validation_failed' }),
    );
  });

  it('PROV-27: JSON answers go by `format`, and other shapes are refused', () => {
    const ask = (openaiParams: Record<string, unknown>) =>
      toBody({ ...CONVERSATION, openaiParams });
    const schema = { type: 'object' };
    expect(ask({ response_format: { type: 'json_object' } }).format).toBe('json');
    expect(
      ask({ response_format: { type: 'json_schema', json_schema: { schema } } }).format,
    ).toEqual(schema);
    expect(ask({ response_format: { type: 'text' } })).not.toHaveProperty('format');
    for (const params of [{ response_format: { type: 'grammar' } }, { n: 2 }, { logprobs: true }]) {
      expect(() => ask(params)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
    }
  });
});
