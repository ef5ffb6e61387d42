import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAnthropicConverter } from './anthropic/convert.ts';
import type { ModelEvent } from './contract.ts';
import type { EventConverter } from './event-converter.ts';
import { createOpenAIConverter } from './openai/convert.ts';
import { recogniseTexts } from './text-shape.ts';

const openAI = () => createOpenAIConverter();

const chunk = (text: string, rest: object = {}) =>
  JSON.stringify({
    id: 'chatcmpl-1',
    model: 'gpt-4o',
    choices: [{ index: 0, delta: { content: text }, finish_reason: null }],
    ...rest,
  });

const delta = (text: string) =>
  JSON.stringify({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text },
  });

/** What a converter says of some events, and how often it was asked. */
function convertAll(create: () => EventConverter, events: readonly string[]) {
  let parsed = 0;
  const counting = () => {
    const converter = create();
    return {
      ...converter,
      convert(data: string, batch: ModelEvent[]) {
        parsed += 1;
        converter.convert(data, batch);
      },
    };
  };
  const said: ModelEvent[] = [];
  const converter = recogniseTexts(counting);
  for (const data of events) converter.convert(data, said);
  return { said, parsed };
}

function parseAll(create: () => EventConverter, events: readonly string[]): ModelEvent[] {
  const said: ModelEvent[] = [];
  const converter = create();
  for (const data of events) converter.convert(data, said);
  return said;
}

describe('events of one shape', () => {
  it.each([
    ['OpenAI', openAI, chunk],
    ['Anthropic', createAnthropicConverter, delta],
  ])('PROV-30: %s: after the first of them only the text is read', (_name, create, write) => {
    const texts = ['Hel', 'lo', ' wor', 'ld', ' 水', '!'];
    const { said, parsed } = convertAll(
      create,
      texts.map((text) => write(text)),
    );
    expect(said).toEqual(texts.map((text) => ({ type: 'text', text })));
    // The first event, and its probe.
    expect(parsed).toBe(2);
  });

  it('PROV-30: whatever the texts are, they come out as a parser gives them', () => {
    // Words of the event itself, quotes, escapes, and halves of characters.
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('content', '0', 'chatcmpl-1', '"', '\\', 'a"b', '\n', '\u2028', 'null', ' '),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (texts, isOpenAI) => {
        const [create, write] = isOpenAI ? [openAI, chunk] : [createAnthropicConverter, delta];
        const events = texts.map((text) => write(text));
        expect(convertAll(create, events).said).toEqual(parseAll(create, events));
      }),
      { numRuns: 500 },
    );
  });

  it('PROV-30: an event that says more than its text is parsed', () => {
    const events = [
      chunk('a'),
      chunk('b'),
      chunk('c', { usage: { prompt_tokens: 1, completion_tokens: 2 } }),
      chunk('d", "refusal": "e'),
      `${chunk('f').slice(0, -1)},"choices":[{"delta":{"content":"g"}}]}`,
      chunk('h'),
      JSON.stringify({ choices: [{ delta: {}, finish_reason: 'stop' }] }),
      '[DONE]',
    ];
    expect(convertAll(openAI, events).said).toEqual(parseAll(openAI, events));
  });

  it('PROV-30: the same words elsewhere in the event are not taken for the text', () => {
    const written = (content: string, fingerprint: string) =>
      `{"choices":[{"delta":{"content":${content}}}],"system_fingerprint":"${fingerprint}"}`;
    // The text is written with an escape, and so stands only in the fingerprint as it is.
    const events = [written('"\\u0061b"', 'ab'), written('"\\u0061b"', 'cd'), written('"x"', 'ab')];
    expect(convertAll(openAI, events).said).toEqual([
      { type: 'text', text: 'ab' },
      { type: 'text', text: 'ab' },
      { type: 'text', text: 'x' },
    ]);
  });

  it('PROV-30: where every event is different, learning ends', () => {
    const events = Array.from({ length: 50 }, (_, at) => chunk('a', { padding: `p${at}` }));
    const { said, parsed } = convertAll(openAI, events);
    expect(said).toHaveLength(50);
    expect(parsed).toBe(54);
  });

  it('PROV-30: a fault after known events is a fault', () => {
    const events = [chunk('a'), chunk('b'), `${chunk('c')}}`];
    expect(() => convertAll(openAI, events)).toThrow('cannot be read');
  });
});
