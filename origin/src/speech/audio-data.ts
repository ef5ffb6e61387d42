/** Sound in JSON: base64 of PCM16, 16 kHz, mono. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import { VOICE_BYTES_PER_SECOND, VOICE_FORMAT } from '@headwater/shared/voice/speech-ports';

/** Longest speech of one request, in s: as base64 it just fits into a body. */
export const MAX_AUDIO_SECONDS = 45;

const MAX_BYTES = MAX_AUDIO_SECONDS * VOICE_BYTES_PER_SECOND;

/** Room for the head of a `data:` URL and of a WAV file, in characters. */
const HEAD_CHARS = 4_096;

/** Both alphabets of RFC 4648. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * The samples. A `data:` URL counts as its base64, and a WAV file as what is in it. Errors:
 * `validation_failed` for what is no base64, no such sound, or empty; `payload_too_large` past
 * {@link MAX_AUDIO_SECONDS}.
 */
export function decodeAudio(audioData: string): Uint8Array {
  if (audioData.length > (MAX_BYTES * 4) / 3 + HEAD_CHARS) throw tooLong();
  const plain = audioData.replace(/^data:[^,]{0,200};base64,/i, '').replace(/\s+/g, '');
  const digits = plain.replace(/=+$/, '').length;
  if (!BASE64.test(plain) || digits % 4 === 1) throw refused('is not base64.');
  const bytes = Buffer.from(plain, 'base64');
  const samples = isWav(bytes) ? samplesOfWav(bytes) : bytes;
  if (samples.length === 0) throw refused('holds no sound.');
  if (samples.length % 2 !== 0) throw refused('is not PCM16: it has half a sample.');
  if (samples.length > MAX_BYTES) throw tooLong();
  return samples;
}

/** The samples as base64. */
export function encodeAudio(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString('base64');
}

function isWav(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WAVE';
}

/** Chunks as in RIFF: a name, a length, and that many bytes, padded to an even number. */
function samplesOfWav(bytes: Buffer): Buffer {
  let isFormat = false;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const name = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (name === 'fmt ' && body.length >= 16) isFormat = isVoiceFormat(body);
    if (name === 'data') {
      if (!isFormat) break;
      return body;
    }
    at += 8 + length + (length % 2);
  }
  throw refused('is a WAV file of another format than PCM16, 16 kHz, mono.');
}

function isVoiceFormat(body: Buffer): boolean {
  const isPcm = body.readUInt16LE(0) === 1;
  const isMono = body.readUInt16LE(2) === VOICE_FORMAT.channels;
  const isRate = body.readUInt32LE(4) === VOICE_FORMAT.sampleRateHz;
  return isPcm && isMono && isRate && body.readUInt16LE(14) === 16;
}

function tooLong(): GatewayError {
  return new GatewayError(
    'payload_too_large',
    `audio_data may hold at most ${MAX_AUDIO_SECONDS} seconds of sound.`,
  );
}

function refused(message: string): GatewayError {
  return new GatewayError('validation_failed', `audio_data ${message}`, {
    details: { fields: [{ path: 'audio_data', message }] },
  });
}
