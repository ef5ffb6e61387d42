/** The bounds of streams, as settings. */

import { wholeNumber } from './setting-types.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Schema of the settings. */
export const STREAM_LIMIT_SETTINGS = {
  MAX_PROMPT_BYTES: wholeNumber(1, 2 * MIB).optional(),
  MAX_ANSWER_BYTES: wholeNumber(1, 16 * MIB).optional(),
  MAX_READERS_PER_STREAM: wholeNumber(1, 1_000_000).optional(),
  MAX_LIVE_STREAMS_PER_SUBJECT: wholeNumber(1, 1_000_000).optional(),
  // A replay hands over 16 Ki characters at a time: less than some of those would cut every reader.
  MAX_BUFFERED_BYTES: wholeNumber(128 * KIB, 64 * MIB).optional(),
  DISCONNECT_GRACE_SECONDS: wholeNumber(0, 86_400).optional(),
};

/** The bounds, parsed. Each ends in a code of its own, none in an exhausted memory. */
export interface StreamLimits {
  /** Text of all messages, in UTF-8. Default 1 MiB. Beyond: `payload_too_large` at init. */
  readonly maxPromptBytes: number;
  /** Text of an answer, in UTF-8. Default 4 MiB. Beyond: the stream fails with `payload_too_large`. */
  readonly maxAnswerBytes: number;
  /** Readers of one stream at a time. Default 10,000. Beyond: `rate_limited`. */
  readonly maxReadersPerStream: number;
  /** Pending and streaming sessions of one subject. Default 1,000. Beyond: `rate_limited`. */
  readonly maxLiveStreamsPerSubject: number;
  /** What a reader may leave untaken. Default 1 MiB. Beyond: it is cut with `unavailable`. */
  readonly maxBufferedBytes: number;
  /** Time without a reader before `onDisconnect` holds. Default 10 s. */
  readonly disconnectGraceMs: number;
}

/** Fills in the defaults. */
export function readStreamLimits(
  read: Partial<Record<keyof typeof STREAM_LIMIT_SETTINGS, number | undefined>>,
): StreamLimits {
  return {
    maxPromptBytes: read.MAX_PROMPT_BYTES ?? MIB,
    maxAnswerBytes: read.MAX_ANSWER_BYTES ?? 4 * MIB,
    maxReadersPerStream: read.MAX_READERS_PER_STREAM ?? 10_000,
    maxLiveStreamsPerSubject: read.MAX_LIVE_STREAMS_PER_SUBJECT ?? 1000,
    maxBufferedBytes: read.MAX_BUFFERED_BYTES ?? MIB,
    disconnectGraceMs: (read.DISCONNECT_GRACE_SECONDS ?? 10) * 1000,
  };
}
