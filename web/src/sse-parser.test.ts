import { describe, expect, it } from 'vitest';
import { createSseParser, type SseEvent } from './sse-parser.ts';

const BODY = [
  'retry: 1000\n\n',
  ': keep-alive\n\n',
  'id: a-1\ndata: one\n\n',
  'data:two\r\ndata\r\ndata:  three\r\n\r\n',
  'event: error\rid: a-3\rdata: 漢字: 🌊\r\r',
  'id: a-4\n\n',
  'data: last\n\n',
  'data: cut off\n',
].join('');

const EVENTS: SseEvent[] = [
  { id: 'a-1', type: 'message', data: 'one' },
  { type: 'message', data: 'two\n\n three' },
  { id: 'a-3', type: 'error', data: '漢字: 🌊' },
  { type: 'message', data: 'last' },
];

describe('createSseParser', () => {
  it('WEB-10: reads comments, line ends of each kind and events without an id', () => {
    expect(createSseParser()(BODY)).toEqual(EVENTS);
  });

  it('WEB-10: gives the same events wherever the body is cut', () => {
    for (let at = 0; at <= BODY.length; at += 1) {
      const parse = createSseParser();
      const pieces = [BODY.slice(0, at), BODY.slice(at)];
      expect(pieces.flatMap(parse), `cut at ${at}`).toEqual(EVENTS);
    }
    expect([...BODY].flatMap(createSseParser())).toEqual(EVENTS);
  });
});
