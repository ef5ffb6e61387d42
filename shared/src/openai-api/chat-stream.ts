/** A streamed chat answer, from the session's events to the text that is sent: the same on both hosts. */

import type { GatewayError, WireError } from '../protocol/errors.ts';
import { isFinal, type StreamEvent } from '../stream/event.ts';
import {
  type ChatMeta,
  type ChunkEncoder,
  createChunkEncoder,
  encodeChunkError,
} from './chat-chunks.ts';
import { BROKEN_OFF, type ChatSink, failureOf, thrownOf } from './chat-sink.ts';

/** The caller's connection, once its head has been sent. */
export interface ChatOutput {
  /** Returns the bytes the caller has not taken yet; MUST NOT throw when it is gone. */
  write(text: string): number;
  /** Ends the connection after what was written. */
  end(): void;
}

/** An answer that is streamed. */
export interface ChatStream extends ChatSink {
  /**
   * Resolves when the head of the answer can be sent: at the first thing said, or after `waitMs`,
   * so that no proxy gives up. Rejects with what ended the session before that, which is thus still
   * an answer with a status of its own.
   */
  ready(waitMs: number): Promise<void>;
  /** Sends what has come so far, and from now on everything at once. Called once. */
  begin(meta: ChatMeta, output: ChatOutput): void;
}

/** Nobody can take back what a chunk has said. */
const CANNOT_RESTART: WireError = {
  code: 'upstream_failed',
  message: 'The model failed in mid-answer, and what was sent cannot be taken back. Send it again.',
};

const isSaying = ({ type }: StreamEvent) => type === 'delta' || type === 'tool_call';

/** Makes the stream of one answer. */
export function createChatStream(options: { readonly includeUsage: boolean }): ChatStream {
  const first = Promise.withResolvers<void>();
  // It may fail after its owner has left.
  first.promise.catch(() => undefined);
  /** What came before the head was sent. */
  let held: StreamEvent[] = [];
  let begun: { meta: ChatMeta; output: ChatOutput; encoder: ChunkEncoder } | undefined;
  let hasSaid = false;
  let isOver = false;

  function hold(event: StreamEvent): void {
    const failure = failureOf(event);
    if (event.type === 'restart') held = [event];
    else held.push(event);
    // Once something was said it is settled, and a later failure is told in the stream.
    if (failure !== undefined) first.reject(thrownOf(failure));
    else if (isSaying(event) || isFinal(event)) first.resolve();
  }

  function say(event: StreamEvent): number {
    if (begun === undefined || isOver) return 0;
    const { meta, output, encoder } = begun;
    const failure = failureOf(event);
    if (failure !== undefined) return fail(output, failure);
    if (event.type === 'error') return 0;
    if (event.type === 'restart') {
      if (hasSaid) return fail(output, CANNOT_RESTART);
      const encoderOfNext = createChunkEncoder(
        { ...meta, model: event.model },
        options.includeUsage,
      );
      begun = { meta, output, encoder: encoderOfNext };
      return 0;
    }
    hasSaid ||= isSaying(event);
    const text = encoder.encode(event);
    const untaken = text === '' ? 0 : output.write(text);
    if (event.type !== 'done') return untaken;
    isOver = true;
    output.end();
    return untaken;
  }

  function fail(output: ChatOutput, error: WireError): number {
    isOver = true;
    const untaken = output.write(encodeChunkError(error));
    output.end();
    return untaken;
  }

  return {
    take(event) {
      if (begun !== undefined) return say(event);
      hold(event);
      return 0;
    },
    closed(error = BROKEN_OFF) {
      if (begun === undefined) {
        const isEnded = held.some(isFinal);
        if (!isEnded) hold({ type: 'error', code: error.code, message: error.message });
      } else if (!isOver) fail(begun.output, error);
    },
    async ready(waitMs) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const waited = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, waitMs);
      });
      try {
        await Promise.race([first.promise, waited]);
      } finally {
        clearTimeout(timer);
      }
    },
    begin(meta, output) {
      begun = { meta, output, encoder: createChunkEncoder(meta, options.includeUsage) };
      const events = held;
      held = [];
      for (const event of events) say(event);
    },
  };
}

/** Adds to an error what the stream's events leave out: how long to wait. */
export async function explain(
  error: GatewayError,
  errorOfState: () => Promise<WireError | null>,
): Promise<GatewayError> {
  if (error.details !== undefined) return error;
  try {
    const kept = await errorOfState();
    return kept?.code === error.code && kept.details !== undefined ? thrownOf(kept) : error;
  } catch {
    // The error itself matters more than what could be added to it.
    return error;
  }
}
