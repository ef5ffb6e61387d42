import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../testing/recording-subscriber.ts';
import { releaseText, takeText } from './answer-text.ts';
import { formatEventId, type StreamEvent } from './event.ts';
import { encodeFrames, encodeReaderError, SSE_HEARTBEAT, SSE_PREAMBLE } from './frames.ts';

const SEED = 20_300_103;
const EPOCH = 1_893_456_000;

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(fc.constantFrom('\n', '\r', '\r\n', ' ', ':', 'data:', '[DONE]', 'é', '\u{1F30A}', 'a'))
    .map((parts) => parts.join('')),
);

const aDelta: fc.Arbitrary<StreamEvent> = anyText.map((text) => ({ type: 'delta', text }));

const anEvent: fc.Arbitrary<StreamEvent> = fc.oneof(
  { weight: 4, arbitrary: aDelta },
  {
    weight: 1,
    arbitrary: fc.constant<StreamEvent>({
      type: 'usage',
      inputTokens: 1,
      outputTokens: 2,
      source: 'provider',
    }),
  },
);

const sse = (events: readonly StreamEvent[], format: 'sse-text' | 'sse-json', firstSeq = 1) =>
  encodeFrames({ epoch: EPOCH, firstSeq, events }, format).join('');

/** What UTF-8 and a browser make of a text: lone halves become U+FFFD. */
const onTheWire = (text: string) => text.toWellFormed();

describe('text form', () => {
  it('ANSWER-8: a note is a named event, which readers of the text alone pass over', () => {
    const note: StreamEvent = { type: 'note', name: 'sources', data: { sources: ['a\nb'] } };
    expect(sse([note], 'sse-text')).toBe(
      `id: ${formatEventId(EPOCH, 1)}\nevent: note\ndata: {"name":"sources","data":{"sources":["a\\nb"]}}\n\n`,
    );
    expect(JSON.parse(parseSse(sse([note], 'sse-json'))[0]?.data ?? '')).toEqual(note);
  });

  it(`FRAME-2: any text comes back through an event-stream parser, but for CR, which comes as LF (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(aDelta, { minLength: 1, maxLength: 6 }), (events) => {
        const wire = new TextDecoder().decode(new TextEncoder().encode(sse(events, 'sse-text')));
        expect(parseSse(wire).map(({ data }) => data)).toEqual(
          events.map((event) =>
            event.type === 'delta' ? onTheWire(event.text).replace(/\r\n?/g, '\n') : '',
          ),
        );
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it(`FRAME-2, FRAME-3: a whole answer, cut anywhere, reads the same up to the end marker (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 8 }), (chunks) => {
        const events: StreamEvent[] = [];
        let held = '';
        for (const chunk of chunks) {
          const taken = takeText(held, chunk);
          held = taken.held;
          events.push(...taken.deltas.map((text) => ({ type: 'delta', text }) as const));
        }
        if (held !== '') events.push({ type: 'delta', text: releaseText(held) });
        events.push({ type: 'done', status: 'completed', finishReason: 'stop' });
        const wire = new TextDecoder().decode(new TextEncoder().encode(sse(events, 'sse-text')));
        const seen = parseSse(wire).map(({ data }) => data);
        const end = seen.indexOf('[DONE]');
        expect(end).toBe(seen.length - 1);
        expect(seen.slice(0, end).join('')).toBe(
          onTheWire(chunks.join('')).replace(/\r\n?/g, '\n'),
        );
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it('FRAME-2: leading spaces, blank lines and trailing newlines come back exactly', () => {
    for (const text of ['  two', '\n', '\n\na\n', ' ', ': not a comment', 'id: 9', 'a\n\nb\n\n']) {
      expect(parseSse(sse([{ type: 'delta', text }], 'sse-text'))[0]).toMatchObject({
        name: '',
        data: text,
      });
    }
  });

  it('FRAME-3: the text form ends with `data: [DONE]`', () => {
    const done: StreamEvent = { type: 'done', status: 'completed', finishReason: 'stop' };
    expect(sse([done], 'sse-text', 9)).toBe(`id: ${formatEventId(EPOCH, 9)}\ndata: [DONE]\n\n`);
  });

  it('FRAME-4: usage and error are named events with one JSON object', () => {
    const events: StreamEvent[] = [
      { type: 'usage', inputTokens: 1, outputTokens: 2, source: 'tokenizer' },
      { type: 'error', code: 'upstream_failed', message: 'It\nbroke.' },
    ];
    const [usage, error] = parseSse(sse(events, 'sse-text'));
    expect(usage?.name).toBe('usage');
    expect(JSON.parse(usage?.data ?? '')).toEqual({
      inputTokens: 1,
      outputTokens: 2,
      source: 'tokenizer',
    });
    expect(error?.name).toBe('error');
    expect(JSON.parse(error?.data ?? '')).toEqual({
      code: 'upstream_failed',
      message: 'It\nbroke.',
    });
  });
});

describe('typed forms', () => {
  it(`FRAME-5: every event comes back as it was, CR and all, in SSE and in WebSocket frames (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(anEvent, { minLength: 1, maxLength: 6 }), fc.nat(1000), (events, at) => {
        const seen = parseSse(sse(events, 'sse-json', at + 1));
        expect(seen.map(({ data }) => JSON.parse(data))).toEqual(events);
        expect(seen.every(({ name }) => name === '')).toBe(true);
        const ids = events.map((_, index) => formatEventId(EPOCH, at + 1 + index));
        expect(seen.map(({ id }) => id)).toEqual(ids);
        const frames = encodeFrames({ epoch: EPOCH, firstSeq: at + 1, events }, 'ws');
        expect(frames.map((frame) => JSON.parse(frame))).toEqual(
          events.map((event, index) => ({ id: ids[index], ...event })),
        );
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});

describe('every SSE form', () => {
  it('STREAM-5, FRAME-1: each event carries its id, counted through the batch', () => {
    const events: StreamEvent[] = ['a', 'b', 'c'].map((text) => ({ type: 'delta', text }));
    for (const format of ['sse-text', 'sse-json'] as const) {
      expect(parseSse(sse(events, format, 41)).map(({ id }) => id)).toEqual(
        [41, 42, 43].map((seq) => formatEventId(EPOCH, seq)),
      );
    }
  });

  it('FRAME-1: the preamble and the heartbeat are no events to a parser', () => {
    const one = sse([{ type: 'delta', text: 'a' }], 'sse-text');
    expect(parseSse(SSE_PREAMBLE + SSE_HEARTBEAT + one + SSE_HEARTBEAT)).toHaveLength(1);
  });

  it('an empty batch, or one that is skipped whole, makes no frame', () => {
    const batch = { epoch: EPOCH, firstSeq: 1, events: [] };
    expect(encodeFrames(batch, 'sse-text')).toEqual([]);
    const one: StreamEvent = { type: 'delta', text: 'a' };
    expect(encodeFrames({ ...batch, events: [one] }, 'sse-json', 1)).toEqual([]);
    expect(encodeFrames({ ...batch, events: [one] }, 'ws', 1)).toEqual([]);
  });

  it('FRAME-7: an error of one reader has no id', () => {
    const error = { code: 'unavailable', message: 'Too slow.' };
    const [text] = parseSse(encodeReaderError(error, 'sse-text'));
    expect(text).toEqual({ id: '', name: 'error', data: JSON.stringify(error) });
    const [json] = parseSse(encodeReaderError(error, 'sse-json'));
    expect(json).toEqual({ id: '', name: '', data: JSON.stringify({ type: 'error', ...error }) });
    expect(JSON.parse(encodeReaderError(error, 'ws'))).toEqual({ type: 'error', ...error });
  });
});
