/** A reader of the engine that hands its events to a chat answer. */

import { CHAT_FORMAT, type ChatSink, takeFrame } from '@headwater/shared/openai-api/chat-sink';
import type { ChatOutput } from '@headwater/shared/openai-api/chat-stream';
import type { Subscriber } from '@headwater/shared/stream/ports';

/** A reader whose connection may come later. */
export interface ChatSubscriber extends Subscriber {
  /** From now on the caller's own pace counts. Returns where the answer is to be written. */
  connect(connection: Subscriber): ChatOutput;
}

/** Wraps a sink; until it is connected, everything counts as taken. */
export function createChatSubscriber(sink: ChatSink): ChatSubscriber {
  let connection: Subscriber | undefined;
  return {
    format: CHAT_FORMAT,
    write: (frame) => takeFrame(sink, frame),
    drained: () => connection?.drained(),
    end: (error) => sink.closed(error),
    cut(error) {
      // A caller that takes nothing takes no error either.
      if (connection === undefined) sink.closed(error);
      else connection.cut(error);
    },
    connect(given) {
      connection = given;
      return { write: given.write, end: () => given.end() };
    },
  };
}
