/** Engines for speech whose words are the sound itself: what is spoken is heard as it was written. */

import { GatewayError } from '../protocol/errors.ts';
import {
  type SpeechEngines,
  type SpeechToText,
  type TextToSpeech,
  VOICE_FORMAT,
} from '../voice/speech-ports.ts';

/** The engines, and what they were asked. */
export interface ScriptedSpeech extends SpeechEngines {
  readonly hearing: SpeechToText;
  readonly speaking: TextToSpeech;
  /** Languages that were asked for, one a transcript; voices, one a speech. */
  readonly languages: readonly (string | undefined)[];
  readonly voices: readonly (string | undefined)[];
}

/** The sound of a text: each byte of its UTF-8 is a sample. */
export function soundOf(text: string): Uint8Array {
  return Uint8Array.from([...new TextEncoder().encode(text)].flatMap((byte) => [byte, 0]));
}

/** The text of a sound; `''` of silence. */
export function textOf(sound: Uint8Array): string {
  const bytes = sound.filter((byte, index) => index % 2 === 0 && byte !== 0);
  return new TextDecoder().decode(bytes);
}

/** Makes them. The voice `nobody` is not known. */
export function createScriptedSpeech(): ScriptedSpeech {
  const languages: (string | undefined)[] = [];
  const voices: (string | undefined)[] = [];
  return {
    languages,
    voices,
    hearing: {
      async transcribe(audio, { language, signal }) {
        signal.throwIfAborted();
        languages.push(language);
        return { text: textOf(audio), ...(language === undefined ? {} : { language }) };
      },
    },
    speaking: {
      format: VOICE_FORMAT,
      async *speak(text, { voice, signal }) {
        voices.push(voice);
        if (voice === 'nobody') throw new GatewayError('validation_failed', 'No such voice.');
        const sound = soundOf(text);
        for (let at = 0; at < sound.length; at += 16) {
          signal.throwIfAborted();
          yield sound.subarray(at, at + 16);
        }
      },
    },
  };
}
