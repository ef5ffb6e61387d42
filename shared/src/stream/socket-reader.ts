/** A reader that can speak: begins, resumes, cancels. The same behind every host's WebSocket. */

import { GatewayError, toGatewayError, toWireError, type WireError } from '../protocol/errors.ts';
import type { StreamEngine } from './engine.ts';
import { type EventPosition, isFinal, type StreamEvent } from './event.ts';
import type { Subscriber } from './ports.ts';
import {
  createMessageGate,
  MAX_SOCKET_MESSAGES_PER_SECOND,
  parseSocketMessage,
  SOCKET_PONG,
} from './socket-messages.ts';

/** Time that a reader without an id has to say where it goes on, in ms. */
export const RESUME_WAIT_MS = 100;

const GOES_ON: WireError = {
  code: 'unavailable',
  message: 'The stream goes on at another connection. Reconnect with the last event id.',
};

/** The stream that is read; the host has refused an expired one. */
export type SocketSession = Pick<
  StreamEngine,
  'status' | 'decide' | 'attach' | 'detach' | 'cancel'
>;

/** What a host supplies for one socket. */
export interface SocketReaderPorts {
  /** Writes to the socket; its `end` and `cut` close it. */
  readonly subscriber: Subscriber;
  nowMs(): number;
  /** Calls `run` once after `ms`; the returned function prevents it. */
  later(ms: number, run: () => void): () => void;
  /** A cancel was not carried out; the reader is told by the socket's end. */
  failed(thrown: unknown): void;
}

/** One socket's reader. */
export interface SocketReader {
  /** The client sent a message; `undefined` for a binary one. */
  received(text: string | undefined): void;
  /** The client is gone. */
  left(): void;
}

/**
 * Serves a socket that is open, from after `after` on.
 *
 * Without an id, and where the answer has begun, it waits {@link RESUME_WAIT_MS} for a `resume`:
 * a client that sends it at once gets nothing twice. A reader that has the final event already is
 * let go as at the end of a stream, because a page cannot see the status of a refused upgrade, and
 * would connect again and again.
 */
export function serveSocketReader(
  session: SocketSession,
  ports: SocketReaderPorts,
  after: EventPosition | undefined,
): SocketReader {
  const { subscriber } = ports;
  const isAllowed = createMessageGate(ports.nowMs);
  let reading: Subscriber | undefined;
  let isClosed = false;
  let stopWaiting: (() => void) | undefined;

  /** A subscriber of its own for each beginning: what the one before still has to say is dropped. */
  function subscribe(): Subscriber {
    let lastFrame = '';
    return {
      format: subscriber.format,
      write(frame) {
        lastFrame = frame;
        return subscriber.write(frame);
      },
      drained: () => subscriber.drained(),
      end(error) {
        isClosed = true;
        // A session that another host takes over lets its readers go too. An event stream that stops
        // is connected to again; a socket that is closed in order would pass for the end.
        subscriber.end(error ?? (isFinalFrame(lastFrame) ? undefined : GOES_ON));
      },
      cut(error) {
        isClosed = true;
        subscriber.cut(error);
      },
    };
  }

  function pause(): void {
    stopWaiting?.();
    stopWaiting = undefined;
    if (reading !== undefined) session.detach(reading);
    reading = undefined;
  }

  function close(thrown?: unknown): void {
    pause();
    isClosed = true;
    subscriber.end(thrown === undefined ? undefined : toWireError(toGatewayError(thrown)));
  }

  function begin(from: EventPosition | undefined): void {
    pause();
    const decision = session.decide(from);
    if (decision.type === 'nothing-left') {
      close();
      return;
    }
    reading = subscribe();
    const afterSeq = decision.type === 'read' ? decision.afterSeq : 0;
    session.attach(reading, afterSeq, decision.type === 'gap');
  }

  async function cancel(): Promise<void> {
    try {
      await session.cancel();
    } catch (thrown) {
      ports.failed(thrown);
      if (!isClosed) close(thrown);
    }
  }

  function obey(text: string | undefined): void {
    if (!isAllowed()) {
      throw new GatewayError(
        'rate_limited',
        `Send at most ${MAX_SOCKET_MESSAGES_PER_SECOND} messages a second.`,
      );
    }
    const message = parseSocketMessage(text);
    switch (message.type) {
      case 'resume':
        begin(message.after);
        return;
      case 'cancel':
        // Its `done` is read from the stream, by one that still waits as well.
        if (reading === undefined) begin(undefined);
        void cancel();
        return;
      case 'ping':
        subscriber.write(SOCKET_PONG);
    }
  }

  /** Whatever is refused here ends this reader, and nothing else. */
  function attempt(work: () => void): void {
    if (isClosed) return;
    try {
      work();
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) ports.failed(thrown);
      close(thrown);
    }
  }

  if (after !== undefined || session.status === 'pending') attempt(() => begin(after));
  else stopWaiting = ports.later(RESUME_WAIT_MS, () => attempt(() => begin(undefined)));

  return {
    received: (text) => attempt(() => obey(text)),
    left() {
      isClosed = true;
      pause();
    },
  };
}

function isFinalFrame(frame: string): boolean {
  return frame !== '' && isFinal(JSON.parse(frame) as StreamEvent);
}
