import { describe, expect, it } from 'vitest';
import { decodeAudio, encodeAudio, MAX_AUDIO_SECONDS } from './audio-data.ts';

const SAMPLES = Buffer.from([1, 0, 255, 127, 0, 128]);
const BASE64 = SAMPLES.toString('base64');

function wav(changes: { rate?: number; channels?: number; bits?: number } = {}): Buffer {
  const { rate = 16_000, channels = 1, bits = 16 } = changes;
  const format = Buffer.alloc(24);
  format.write('fmt ', 0, 'latin1');
  format.writeUInt32LE(16, 4);
  format.writeUInt16LE(1, 8);
  format.writeUInt16LE(channels, 10);
  format.writeUInt32LE(rate, 12);
  format.writeUInt16LE(bits, 22);
  const other = Buffer.concat([Buffer.from('LIST\x03\0\0\0', 'latin1'), Buffer.from('abc\0')]);
  const data = Buffer.alloc(8);
  data.write('data', 0, 'latin1');
  data.writeUInt32LE(SAMPLES.length, 4);
  const head = Buffer.from('RIFF\0\0\0\0WAVE', 'latin1');
  return Buffer.concat([head, format, other, data, SAMPLES]);
}

const codeOf = (audioData: string) => {
  try {
    decodeAudio(audioData);
    return undefined;
  } catch (thrown) {
    return (thrown as { code?: string }).code;
  }
};

describe('audio data', () => {
  it('SPEECH-2: is base64 in either alphabet, with or without padding, breaks or a data: head', () => {
    const odd = Buffer.from([251, 255, 254, 63]);
    for (const written of [
      odd.toString('base64'),
      odd.toString('base64url'),
      `data:audio/pcm;rate=16000;base64,${odd.toString('base64')}`,
      odd.toString('base64').replace(/(.{3})/g, '$1\r\n'),
    ]) {
      expect(Buffer.from(decodeAudio(written))).toEqual(odd);
    }
    expect(encodeAudio([SAMPLES.subarray(0, 1), SAMPLES.subarray(1)])).toBe(BASE64);
  });

  it('SPEECH-2: may be a WAV file of the same sound, and of no other', () => {
    expect(Buffer.from(decodeAudio(wav().toString('base64')))).toEqual(SAMPLES);
    for (const other of [{ rate: 44_100 }, { channels: 2 }, { bits: 8 }]) {
      expect(codeOf(wav(other).toString('base64'))).toBe('validation_failed');
    }
    for (let length = 12; length < wav().length - SAMPLES.length; length += 1) {
      const cut = wav().subarray(0, length).toString('base64');
      expect(codeOf(cut), String(length)).toBe('validation_failed');
    }
  });

  it('SPEECH-2: is refused where it is no base64, no samples, or empty', () => {
    for (const bad of [
      '',
      '!!!!',
      'AAAA=AAA',
      'A',
      'AAAAA',
      'AA===',
      'AAAA',
      'data:audio/wav,AA',
    ]) {
      expect(codeOf(bad), bad).toBe('validation_failed');
    }
  });

  it('SPEECH-2: holds at most 45 seconds', () => {
    const full = Buffer.alloc(MAX_AUDIO_SECONDS * 32_000);
    expect(decodeAudio(full.toString('base64'))).toHaveLength(full.length);
    const more = Buffer.concat([full, Buffer.alloc(2)]).toString('base64');
    expect(codeOf(more)).toBe('payload_too_large');
    expect(codeOf('!'.repeat(4_000_000))).toBe('payload_too_large');
  });
});
