import { CHAT_FORMAT, type ChatSink } from '@headwater/shared/openai-api/chat-sink';
import type { WireError } from '@headwater/shared/protocol/errors';
import type { StreamEvent } from '@headwater/shared/stream/event';
import { encodeFrames } from '@headwater/shared/stream/frames';
import { createRecordingSubscriber } from '@headwater/shared/testing/recording-subscriber';
import { expect, it } from 'vitest';
import { createChatSubscriber } from './chat-subscriber.ts';

const CUT: WireError = { code: 'unavailable', message: 'Too slow.' };

function createSink() {
  const events: StreamEvent[] = [];
  const closings: (WireError | undefined)[] = [];
  const sink: ChatSink = {
    take: (event) => events.push(event),
    closed: (error) => closings.push(error),
  };
  return { sink, events, closings };
}

it('OPENAI-3: the events of a frame reach the sink in order, and what it says is untaken', () => {
  const { sink, events } = createSink();
  const subscriber = createChatSubscriber(sink);
  const said: StreamEvent[] = [
    { type: 'delta', text: 'a\n' },
    { type: 'delta', text: 'b' },
  ];
  const [frame = ''] = encodeFrames({ epoch: 7, firstSeq: 1, events: said }, CHAT_FORMAT);
  expect(subscriber.write(frame)).toBe(2);
  expect(events).toEqual(said);
});

it('OPENAI-6: without a connection a cut is an error; with one it is the connection that is cut', () => {
  const held = createSink();
  createChatSubscriber(held.sink).cut(CUT);
  expect(held.closings).toEqual([CUT]);

  const { sink, closings } = createSink();
  const subscriber = createChatSubscriber(sink);
  const connection = createRecordingSubscriber(CHAT_FORMAT);
  subscriber.connect(connection);
  subscriber.cut(CUT);
  expect(closings).toEqual([]);
  expect(connection.endError).toEqual(CUT);
});

it('STREAM-10: a replay waits for the connection, once there is one', async () => {
  const subscriber = createChatSubscriber(createSink().sink);
  expect(subscriber.drained()).toBeUndefined();
  const connection = createRecordingSubscriber(CHAT_FORMAT);
  const output = subscriber.connect(connection);
  connection.stall();
  expect(output.write('data: x\n\n')).toBeGreaterThan(0);
  const drained = subscriber.drained();
  expect(drained).toBeInstanceOf(Promise);
  connection.take();
  await drained;
  output.end();
  expect(connection.ended).toBe(true);
});
