/** What turns speech into text, and text into speech. One file an engine implements each. */

/** Sound as it comes and goes: signed 16-bit little-endian samples without a header. */
export interface PcmFormat {
  readonly encoding: 'pcm_s16le';
  readonly sampleRateHz: number;
  readonly channels: 1;
}

/** The one format of the gateway's own voice interfaces: PCM16, 16 kHz, mono. */
export const VOICE_FORMAT = {
  encoding: 'pcm_s16le',
  sampleRateHz: 16_000,
  channels: 1,
} as const satisfies PcmFormat;

/** Bytes of one second of {@link VOICE_FORMAT}. */
export const VOICE_BYTES_PER_SECOND = VOICE_FORMAT.sampleRateHz * 2;

/** What was understood. */
export interface Transcript {
  /** `''` where nobody spoke. */
  readonly text: string;
  /** As the engine names it, such as `en`; absent where it does not say. */
  readonly language?: string;
}

/**
 * Understands speech.
 *
 * `transcribe` MUST read the whole of `audio`, MUST resolve with `text: ''` for silence and noise,
 * MUST stop its work when `signal` aborts, and MUST throw only `GatewayError`: `unavailable` where
 * the engine is away or its key is refused, `upstream_failed` and `upstream_timeout` of a vendor,
 * `validation_failed` for a `language` or `format` that it does not know. It MUST NOT keep or log
 * the audio.
 */
export interface SpeechToText {
  transcribe(
    audio: Uint8Array,
    options: {
      readonly signal: AbortSignal;
      /** BCP 47 tag or name; absent means that the engine finds out. */
      readonly language?: string;
      readonly format: PcmFormat;
    },
  ): Promise<Transcript>;
}

/**
 * Speaks.
 *
 * `speak` MUST begin its work when it is first iterated, MUST yield non-empty pieces in order, each of
 * whole samples of `format`, as soon as they are there, MUST stop when `signal` aborts or the iterator
 * is returned, and MUST throw only `GatewayError`, as {@link SpeechToText} does; a `voice` that it does
 * not know is `validation_failed`. It MUST NOT keep or log the text.
 */
export interface TextToSpeech {
  readonly format: PcmFormat;
  speak(
    text: string,
    options: {
      /** Absent means the engine's default. */
      readonly voice?: string;
      readonly signal: AbortSignal;
    },
  ): AsyncIterable<Uint8Array>;
}

/** The engines that a host has; in place of each that it lacks, what it takes to have it. */
export interface SpeechEngines {
  readonly hearing: SpeechToText | MissingEngine;
  readonly speaking: TextToSpeech | MissingEngine;
}

/** Names settings and commands only: callers read it. */
export interface MissingEngine {
  readonly missing: string;
}

/** A host without engines for speech. */
export const NO_SPEECH: SpeechEngines = {
  hearing: {
    missing:
      'Speech cannot be understood here: this gateway has no engine that does it, neither Deepgram (DEEPGRAM_API_KEY) nor Whisper.',
  },
  speaking: {
    missing:
      'Nothing can be spoken here: this gateway has no engine that does it, neither ElevenLabs (ELEVENLABS_API_KEY) nor one for the tasks of the type voice-synthesis (TASK_ENGINES).',
  },
};
