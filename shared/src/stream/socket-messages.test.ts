import { describe, expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import {
  createMessageGate,
  MAX_SOCKET_MESSAGE_BYTES,
  MAX_SOCKET_MESSAGES_PER_SECOND,
  parseSocketMessage,
} from './socket-messages.ts';

describe('messages of a socket', () => {
  it('SOCKET-4: resume, cancel and ping are read, and fields of tomorrow are left alone', () => {
    expect(parseSocketMessage('{"type":"resume","after":"a-7"}')).toEqual({
      type: 'resume',
      after: { epoch: 10, seq: 7 },
    });
    expect(parseSocketMessage(' {"type": "cancel", "why": "bored"}')).toEqual({ type: 'cancel' });
    expect(parseSocketMessage('{"type":"ping"}')).toEqual({ type: 'ping' });
  });

  it('SOCKET-4: a resume after nothing, or after what is no id, is one from the start', () => {
    for (const text of ['{"type":"resume"}', '{"type":"resume","after":"nonsense"}']) {
      expect(parseSocketMessage(text)).toEqual({ type: 'resume', after: undefined });
    }
  });

  it.each([
    ['binary', undefined],
    ['empty', ''],
    ['no JSON', '{"type":'],
    ['no object', '[{"type":"ping"}]'],
    ['null', 'null'],
    ['of an unknown type', '{"type":"dance"}'],
    ['without a type', '{"after":"a-7"}'],
    ['a resume after a number', '{"type":"resume","after":7}'],
  ])('SOCKET-6: a message that is %s is refused', (_what, text) => {
    expect(() => parseSocketMessage(text)).toThrow(GatewayError);
  });

  it('SOCKET-6: 4 KiB are read and a byte more is refused, in bytes of UTF-8', () => {
    const messageOf = (filler: string) => `{"type":"ping","x":"${filler}"}`;
    const room = MAX_SOCKET_MESSAGE_BYTES - messageOf('').length;
    expect(parseSocketMessage(messageOf('x'.repeat(room)))).toEqual({ type: 'ping' });
    expect(() => parseSocketMessage(messageOf('x'.repeat(room + 1)))).toThrow(/4096 bytes/);
    const wide = '漢'.repeat(Math.floor(room / 3));
    expect(parseSocketMessage(messageOf(wide))).toEqual({ type: 'ping' });
    expect(() => parseSocketMessage(messageOf(`${wide}漢`))).toThrow(/4096 bytes/);
  });
});

it('SOCKET-7: twenty messages fit in any second, and the next one fits when the oldest is a second old', async () => {
  const clock = createVirtualClock();
  const isAllowed = createMessageGate(clock.nowMs);
  for (let sent = 0; sent < MAX_SOCKET_MESSAGES_PER_SECOND; sent += 1) {
    expect(isAllowed()).toBe(true);
    await clock.advance(10);
  }
  expect(isAllowed()).toBe(false);
  await clock.advance(1000 - 10 * MAX_SOCKET_MESSAGES_PER_SECOND + 10);
  expect(isAllowed()).toBe(true);
  expect(isAllowed()).toBe(false);
});
