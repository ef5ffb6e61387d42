/** Speech in and out, whole: sound in base64 to text, and text to sound in base64. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import {
  type PcmFormat,
  type SpeechEngines,
  type SpeechToText,
  type TextToSpeech,
  type Transcript,
  VOICE_BYTES_PER_SECOND,
  VOICE_FORMAT,
} from '@headwater/shared/voice/speech-ports';
import { encodeAudio } from './audio-data.ts';

/** Longest speech that is answered as a whole, in s: ten minutes. */
const MAX_SPOKEN_SECONDS = 600;

/** Speech as the wire shows it. */
interface SpokenAudio {
  /** Base64 of samples. */
  readonly audio_data: string;
  readonly audio_format: {
    readonly encoding: PcmFormat['encoding'];
    readonly sample_rate_hz: number;
    readonly channels: 1;
  };
  readonly duration_seconds: number;
}

/** The engines, asked as services ask them. */
export interface SpeechService {
  /** What each of the two takes, where it is missing. */
  missing(): { readonly hearing: string | undefined; readonly speaking: string | undefined };
  /** Errors: `unavailable` that says what is missing, where one of the two is. */
  require(needs: { readonly hearing: boolean; readonly speaking: boolean }): void;
  /** Understands samples of the gateway's format. Errors: `unavailable`, and the engine's own. */
  hear(audio: Uint8Array, language: string | undefined, signal: AbortSignal): Promise<Transcript>;
  /** Errors: `unavailable`, `payload_too_large` past ten minutes, and the engine's own. */
  speak(text: string, voice: string | undefined, signal: AbortSignal): Promise<SpokenAudio>;
}

/** Makes it. */
export function createSpeechService({ hearing, speaking }: SpeechEngines): SpeechService {
  function requireHearing(): SpeechToText {
    if ('missing' in hearing) throw new GatewayError('unavailable', hearing.missing);
    return hearing;
  }

  function requireSpeaking(): TextToSpeech {
    if ('missing' in speaking) throw new GatewayError('unavailable', speaking.missing);
    return speaking;
  }

  const missing = () => ({
    hearing: 'missing' in hearing ? hearing.missing : undefined,
    speaking: 'missing' in speaking ? speaking.missing : undefined,
  });

  return {
    missing,

    require(needs) {
      const { hearing: deaf, speaking: mute } = missing();
      const faults = [...(needs.hearing ? [deaf] : []), ...(needs.speaking ? [mute] : [])];
      const said = faults.filter((fault) => fault !== undefined);
      if (said.length > 0) throw new GatewayError('unavailable', said.join(' '));
    },

    async hear(audio, language, signal) {
      return await requireHearing().transcribe(audio, {
        signal,
        format: VOICE_FORMAT,
        ...(language === undefined ? {} : { language }),
      });
    },

    async speak(text, voice, signal) {
      const engine = requireSpeaking();
      const { encoding, sampleRateHz, channels } = engine.format;
      const bytesPerSecond = (VOICE_BYTES_PER_SECOND / VOICE_FORMAT.sampleRateHz) * sampleRateHz;
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      const options = { signal, ...(voice === undefined ? {} : { voice }) };
      for await (const piece of engine.speak(text, options)) {
        bytes += piece.length;
        if (bytes > MAX_SPOKEN_SECONDS * bytesPerSecond) {
          throw new GatewayError('payload_too_large', 'The text is too long to be spoken at once.');
        }
        pieces.push(piece);
      }
      signal.throwIfAborted();
      return {
        audio_data: encodeAudio(pieces),
        audio_format: { encoding, sample_rate_hz: sampleRateHz, channels },
        duration_seconds: bytes / bytesPerSecond,
      };
    },
  };
}
