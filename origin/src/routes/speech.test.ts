import { createScriptedSpeech, soundOf, textOf } from '@headwater/shared/testing/scripted-speech';
import { NO_SPEECH } from '@headwater/shared/voice/speech-ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CharacterApp,
  type CharacterCaller,
  openCharacterApp,
  turnsOf,
} from '../testing/character-app.ts';

const base64 = (text: string): string => Buffer.from(soundOf(text)).toString('base64');
const spoken = (audio: string): string => textOf(Buffer.from(audio, 'base64'));

const SILENCE = Buffer.alloc(64).toString('base64');
const TOO_LONG = Buffer.alloc(45 * 32_000 + 2).toString('base64');
const ILSE = { name: 'Ilse', voice: { voice_name: 'alto' }, rules: ['ORDER: say hello'] };

describe('speech', () => {
  const speech = createScriptedSpeech();
  let app: CharacterApp;
  let caller: CharacterCaller;
  beforeAll(async () => {
    app = await openCharacterApp(speech);
    caller = app.createCaller();
  }, 60_000);
  afterAll(() => app?.close());

  it('SPEECH-1: comes in as base64, goes to the character as text, and its answer comes back as sound', async () => {
    for (const mode of ['voice', 'voice_to_voice', ' Voice ']) {
      const start = app.vendor.requests.length;
      const { status, body } = await caller.post('/interact', {
        user_input: '',
        character_details: ILSE,
        mode,
        audio_data: base64('What is up?'),
        language: 'en',
      });
      expect(status).toBe(200);
      expect(body).toMatchObject({
        transcript: 'What is up?',
        response: 'hello',
        mode: 'voice',
        audio_format: { encoding: 'pcm_s16le', sample_rate_hz: 16_000, channels: 1 },
      });
      expect(spoken(body.audio_data)).toBe('hello');
      const asked = app.vendor.requests.slice(start).at(-1);
      expect(turnsOf(asked as never).at(-1)).toEqual({ role: 'user', content: 'What is up?' });
      expect(asked?.body).toMatchObject({ max_tokens: 400 });
    }
    expect(speech.languages.at(-1)).toBe('en');
    expect(speech.voices.at(-1)).toBe('alto');
  });

  it('SPEECH-1: one way alone is heard, or spoken with the voice that was asked for', async () => {
    const heard = await caller.post('/interact', {
      character_details: ILSE,
      mode: 'voice-to-text',
      audio_data: base64('Hi'),
    });
    expect(heard.body).toMatchObject({ transcript: 'Hi', response: 'hello' });
    expect(heard.body).not.toHaveProperty('audio_data');
    const said = await caller.post('/interact', {
      user_input: 'Hi',
      character_details: ILSE,
      mode: 'text_to_voice',
      voice_name: 'bass',
    });
    expect(spoken(said.body.audio_data)).toBe('hello');
    expect(said.body).not.toHaveProperty('transcript');
    expect(speech.voices.at(-1)).toBe('bass');
  });

  it('SPEECH-1: a conversation is remembered in speech too, with the voice of its character', async () => {
    const { body } = await caller.post('/interact', {
      character_details: ILSE,
      mode: 'voice',
      audio_data: base64('My name is Bo.'),
      remember: true,
    });
    const start = app.vendor.requests.length;
    const next = await caller.post('/interact', {
      session_id: body.session_id,
      mode: 'voice',
      audio_data: base64('Who am I?'),
    });
    expect(spoken(next.body.audio_data)).toBe('hello');
    expect(speech.voices.at(-1)).toBe('alto');
    expect(turnsOf(app.vendor.requests[start] as never).slice(1)).toEqual([
      { role: 'user', content: 'My name is Bo.' },
      { role: 'assistant', content: 'hello' },
      { role: 'user', content: 'Who am I?' },
    ]);
  });

  it('SPEECH-2: bad, silent and endless sound, and an unknown voice, are refused', async () => {
    const start = app.vendor.requests.length;
    const heard = speech.languages.length;
    const ask = (audio_data: string) =>
      caller.post('/interact', { character_details: ILSE, mode: 'voice', audio_data });
    for (const bad of ['not base64!', 'AAAA', '====']) expect((await ask(bad)).status).toBe(400);
    expect((await ask(TOO_LONG)).status).toBe(413);
    expect(speech.languages).toHaveLength(heard);
    const silent = await ask(SILENCE);
    expect(silent.body.error).toMatchObject({
      code: 'validation_failed',
      details: { fields: [{ path: 'audio_data' }] },
    });
    expect(app.vendor.requests).toHaveLength(start);
    const voice = { text: 'Hi', voice_name: 'nobody' };
    expect((await caller.post('/text-to-speech', voice)).status).toBe(400);
  });

  it('SPEECH-3: text and sound are turned into each other alone', async () => {
    const { body: sound } = await caller.post('/text-to-speech', {
      text: 'Hi',
      voice_name: 'alto',
    });
    expect(sound).toMatchObject({ voice_name: 'alto', duration_seconds: 2 / 16_000 });
    const { body: text } = await caller.post('/speech-to-text', sound);
    expect(text).toEqual({ transcript: 'Hi', language: null, duration_seconds: 2 / 16_000 });
    const { body: silent } = await caller.post('/speech-to-text', { audio_data: SILENCE });
    expect(silent.transcript).toBe('');
  });
});

describe('speech without engines', () => {
  let app: CharacterApp;
  let caller: CharacterCaller;
  beforeAll(async () => {
    app = await openCharacterApp(NO_SPEECH);
    caller = app.createCaller();
  }, 60_000);
  afterAll(() => app?.close());

  it('SPEECH-4: is unavailable, says what is missing, and asks no model', async () => {
    const audio_data = base64('Hi');
    const both = { user_input: 'Hi', character_details: ILSE, audio_data };
    const cases = [
      ['/interact', { ...both, mode: 'voice' }, ['DEEPGRAM_API_KEY', 'ELEVENLABS_API_KEY']],
      ['/interact', { ...both, mode: 'voice-to-text' }, ['DEEPGRAM_API_KEY']],
      ['/interact', { ...both, mode: 'text-to-voice' }, ['ELEVENLABS_API_KEY']],
      ['/speech-to-text', { audio_data }, ['DEEPGRAM_API_KEY']],
      ['/text-to-speech', { text: 'Hi' }, ['ELEVENLABS_API_KEY', 'TASK_ENGINES']],
    ] as const;
    for (const [url, body, names] of cases) {
      const reply = await caller.post(url, body);
      expect(reply.status).toBe(503);
      expect(reply.body.error.code).toBe('unavailable');
      for (const name of names) expect(reply.body.error.message).toContain(name);
    }
    expect(app.vendor.requests).toEqual([]);
  });

  it('SPEECH-4: tells faults before what is missing', async () => {
    const faults = [
      ['/speech-to-text', {}, 'audio_data'],
      ['/speech-to-text', { audio_data: '!' }, 'audio_data'],
      ['/text-to-speech', { text: ' ' }, 'text'],
      ['/text-to-speech', { text: 'x'.repeat(5_001) }, 'text'],
      ['/interact', { character_details: ILSE, mode: 'voice', audio_data: '!' }, 'audio_data'],
    ] as const;
    for (const [url, body, path] of faults) {
      const reply = await caller.post(url, body);
      expect(reply.status, url).toBe(400);
      expect(reply.body.error.details.fields[0].path).toBe(path);
    }
  });
});
