import { describe, expect, it } from 'vitest';
import { PNG_URL, TOOL_CONVERSATION } from '../../testing/tool-conversation.ts';
import { toBody } from './body.ts';

describe('an OpenAI body', () => {
  it('PROV-25, PROV-26, PROV-27: holds tools, their calls and results, images and parameters', () => {
    const body = toBody(TOOL_CONVERSATION);
    const call = (id: string, name: string, text: string) => ({
      id,
      type: 'function',
      function: { name, arguments: text },
    });
    expect(body).toEqual({
      model: 'the-model',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Where is it?' },
            { type: 'text', text: '' },
            { type: 'image_url', image_url: { url: PNG_URL, detail: 'low' } },
          ],
        },
        {
          role: 'assistant',
          content: 'Let me see.',
          tool_calls: [call('c1', 'weather', '{"city":"Oslo"}'), call('c2', 'clock', '')],
        },
        { role: 'tool', content: 'Rain.', tool_call_id: 'c1' },
        { role: 'tool', content: 'Noon.', tool_call_id: 'c2' },
        { role: 'assistant', content: null, tool_calls: [call('c3', 'clock', '{}')] },
        { role: 'tool', content: 'Later.', tool_call_id: 'c3' },
        { role: 'user', content: 'And now?' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 9,
      top_p: 0.5,
      stop: ['END'],
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'Tells the weather.',
            parameters: TOOL_CONVERSATION.tools?.[0]?.parameters,
            strict: true,
          },
        },
        { type: 'function', function: { name: 'clock' } },
      ],
      tool_choice: 'required',
      parallel_tool_calls: false,
      seed: 7,
      user: 'u',
    });
  });

  it('PROV-25: a tool that must be called goes by its name', () => {
    const { tool_choice } = toBody({ ...TOOL_CONVERSATION, toolChoice: { name: 'clock' } });
    expect(tool_choice).toEqual({ type: 'function', function: { name: 'clock' } });
  });

  it('PROV-27: parameters go word for word, and never over what the gateway sets', () => {
    const response_format = { type: 'json_schema', json_schema: { name: 'n', schema: {} } };
    const openaiParams = { response_format, stream: false, model: 'other', messages: [], n: 2 };
    expect(toBody({ ...TOOL_CONVERSATION, openaiParams })).toMatchObject({
      response_format,
      n: 2,
      stream: true,
      model: 'the-model',
      messages: { length: 8 },
    });
  });

  it('PROV-12: a reasoning model gets no top_p', () => {
    expect(toBody({ ...TOOL_CONVERSATION, model: 'o3' })).not.toHaveProperty('top_p');
  });
});
