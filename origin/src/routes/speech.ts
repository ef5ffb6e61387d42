/** `/speech-to-text` and `/text-to-speech`: speech as a whole. */

import { speechToTextSchema, textToSpeechSchema } from '@headwater/shared/protocol/characters';
import { VOICE_BYTES_PER_SECOND } from '@headwater/shared/voice/speech-ports';
import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { decodeAudio } from '../speech/audio-data.ts';
import type { SpeechService } from '../speech/speech-service.ts';
import { readBody } from './character-request.ts';
import { callerOf, leavingOf } from './task-request.ts';

/** What the routes need of the gateway. */
export type SpeechGateway = Pick<OriginGateway, 'authorise'> & {
  readonly characters: { readonly speech: SpeechService };
};

/** Adds the routes. What is faulty is told before what is missing. */
export function addSpeechRoutes(app: FastifyInstance, gateway: SpeechGateway): void {
  const { authorise } = gateway;
  const { speech } = gateway.characters;

  app.post('/speech-to-text', async (request, reply) => {
    await callerOf(authorise, request);
    const asked = readBody(request, speechToTextSchema);
    const audio = decodeAudio(asked.audio_data);
    const heard = await speech.hear(audio, asked.language ?? undefined, leavingOf(reply));
    return {
      transcript: heard.text,
      language: heard.language ?? null,
      duration_seconds: audio.length / VOICE_BYTES_PER_SECOND,
    };
  });

  app.post('/text-to-speech', async (request, reply) => {
    await callerOf(authorise, request);
    const { text, voice_name: voice } = readBody(request, textToSpeechSchema);
    const spoken = await speech.speak(text, voice ?? undefined, leavingOf(reply));
    return { ...spoken, voice_name: voice ?? null };
  });
}
