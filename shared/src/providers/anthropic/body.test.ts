import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../protocol/errors.ts';
import { PNG_BASE64, TOOL_CONVERSATION } from '../../testing/tool-conversation.ts';
import type { ContentPart, ModelRequest } from '../contract.ts';
import { toBody } from './body.ts';

const withImage = (url: string): ModelRequest => {
  const parts: ContentPart[] = [{ type: 'image_url', image_url: { url } }];
  return {
    model: 'm',
    messages: [{ role: 'user', content: '', parts }],
    maxTokens: 1,
  };
};

function refusal(request: ModelRequest): GatewayError {
  try {
    toBody(request);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'validation_failed' });
    if (thrown instanceof GatewayError) return thrown;
  }
  throw new Error('nothing was thrown');
}

describe('an Anthropic body', () => {
  it('PROV-25, PROV-26: holds tools, calls and images; results of one turn come in one turn', () => {
    expect(toBody(TOOL_CONVERSATION)).toEqual({
      model: 'the-model',
      max_tokens: 9,
      system: 'Be brief.',
      stream: true,
      stop_sequences: ['END'],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Where is it?' },
            {
              type: 'image',
              source: { type: 'base64', media_type: 'image/png', data: PNG_BASE64 },
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Let me see.' },
            { type: 'tool_use', id: 'c1', name: 'weather', input: { city: 'Oslo' } },
            { type: 'tool_use', id: 'c2', name: 'clock', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'c1', content: 'Rain.' },
            { type: 'tool_result', tool_use_id: 'c2', content: 'Noon.' },
          ],
        },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'c3', name: 'clock', input: {} }],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'c3', content: 'Later.' }],
        },
        { role: 'user', content: 'And now?' },
      ],
      tools: [
        {
          name: 'weather',
          description: 'Tells the weather.',
          input_schema: TOOL_CONVERSATION.tools?.[0]?.parameters,
          strict: true,
        },
        { name: 'clock', input_schema: { type: 'object' } },
      ],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
    });
  });

  it.each([
    ['auto', undefined, { type: 'auto' }],
    ['none', false, { type: 'none' }],
    ['required', true, { type: 'any' }],
    [{ name: 'clock' }, false, { type: 'tool', name: 'clock', disable_parallel_tool_use: true }],
    [undefined, false, { type: 'auto', disable_parallel_tool_use: true }],
    [undefined, undefined, undefined],
  ] as const)('PROV-25: the choice %j (parallel: %s) is %j', (toolChoice, parallel, expected) => {
    const { toolChoice: _, parallelToolCalls: __, ...rest } = TOOL_CONVERSATION;
    const body = toBody({
      ...rest,
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(parallel === undefined ? {} : { parallelToolCalls: parallel }),
    });
    expect(body.tool_choice).toEqual(expected);
  });

  it('PROV-25: a choice without a tool is left out, which the vendor would refuse', () => {
    const { tools: _, ...rest } = TOOL_CONVERSATION;
    expect(toBody(rest)).not.toHaveProperty('tool_choice');
  });

  it('PROV-25: arguments that are no JSON object are the caller’s fault', () => {
    for (const text of ['{"a":', '[1]', '"x"', 'null']) {
      const toolCalls = [{ id: 'c', name: 'clock', arguments: text }];
      const error = refusal({
        model: 'm',
        messages: [{ role: 'assistant', content: '', toolCalls }],
        maxTokens: 1,
      });
      expect(error.details?.fields?.[0]?.path).toBe('messages');
    }
  });

  it('PROV-26: an image by URL stays a URL, and what is no image is refused without its URL', () => {
    const { messages } = toBody(withImage('https://images.example/a.png?sig=1'));
    expect(messages[0]?.content).toEqual([
      { type: 'image', source: { type: 'url', url: 'https://images.example/a.png?sig=1' } },
    ]);
    for (const url of [
      'http://hidden.example/a.png',
      'data:text/html;base64,aGlkZGVu',
      'data:image/tiff;base64,aGlkZGVu',
      'data:image/png,hidden',
      'file:///hidden',
    ]) {
      expect(refusal(withImage(url)).message).not.toContain('hidden');
    }
  });

  it.each([
    ['response_format', { type: 'json_object' }, { type: 'text' }],
    ['n', 2, 1],
    ['logprobs', true, false],
    ['top_logprobs', 2, 0],
    ['modalities', ['text', 'audio'], ['text']],
    ['seed', null, 7],
  ])('PROV-27: %s is refused where it changes the answer, by name', (name, shaping, plain) => {
    const ask = (value: unknown) => ({ ...TOOL_CONVERSATION, openaiParams: { [name]: value } });
    expect(() => toBody(ask(plain))).not.toThrow();
    if (shaping === null) return;
    const error = refusal(ask(shaping));
    expect(error.message).toContain(name);
    expect(error.details?.fields?.map(({ path }) => path)).toEqual([name]);
  });
});
