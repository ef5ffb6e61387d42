/** Seed 004's character services in the OpenAPI document. */

import {
  type CharacterListView,
  type CharacterSummaryView,
  type CharacterView,
  generateContextSchema,
  generateResponseSchema,
  INTERACT_MODES,
  interactSchema,
  newCharacterSchema,
  speechToTextSchema,
  textToSpeechSchema,
} from './characters.ts';
import { ANSWER_ERRORS, ANSWER_PROPERTIES, asking, requestSchema } from './openapi-ai.ts';
import { json, ok, ref } from './openapi-parts.ts';
import {
  deletion,
  described,
  errors,
  id,
  listOf,
  location,
  nullable,
  objectOf,
  security,
  text,
  textOrNull,
  timeOrNull,
} from './openapi-types.ts';

const seconds = { type: 'number', minimum: 0 };

const SOUND = 'Base64 of PCM16, 16 kHz, mono; at most 45 seconds. A WAV file of it will do.';

/** What a field's own limits do not say. */
const FIELD_WORDS: Readonly<Record<string, string>> = {
  character_details:
    'A text that describes a character, the id of one, or an object with its fields. With the id of a known one, the other fields stand in place of its own.',
  persona_context: 'A text, or what `/generate-context` answered.',
  rules: 'A list, or a text with one rule a line. Those of `persona_context` count too.',
  history: 'What was said before, oldest first, where you remember it yourself.',
  mode: 'An underscore counts as a hyphen.',
  audio_data: SOUND,
  session_id: 'A conversation that `remember` began. Its character stays, and need not be sent.',
  remember: 'Begins a conversation that the gateway remembers; the answer has its `session_id`.',
  language: 'Of the speech that comes in.',
  user_input: 'What the user says; not needed where the user speaks.',
};

const requestOf = (schema: Parameters<typeof requestSchema>[0]) =>
  requestSchema(schema, FIELD_WORDS);

const character = objectOf({
  id: described('Null where it is described alone.', textOrNull),
  name: textOrNull,
});

const head = {
  id: text,
  name: text,
  kind: { type: 'string', enum: ['predefined', 'custom'] },
  version: described('Counts from 1, one more with each change.', { type: 'integer', minimum: 1 }),
  summary: textOrNull,
  created_at: timeOrNull,
  updated_at: timeOrNull,
} satisfies Record<keyof CharacterSummaryView, object>;

const view = {
  ...head,
  details: described('As `character_details` takes them.', { type: 'object' }),
} satisfies Record<keyof CharacterView, object>;

const list = {
  characters: described(
    'Predefined ones first, then your own, newest first.',
    listOf(objectOf(head)),
  ),
  missing: described('Set where characters cannot be kept: what it takes.', text),
} satisfies Record<keyof CharacterListView, object>;

const source = described('`template`: made of the details alone.', {
  type: 'string',
  enum: ['model', 'template'],
});

const warnings = described('What went wrong without costing the answer.', listOf(text));

const audioFormat = objectOf({
  encoding: { const: 'pcm_s16le' },
  sample_rate_hz: { type: 'integer' },
  channels: { const: 1 },
});

const spoken = {
  audio_data: described('Base64 of samples.', text),
  audio_format: audioFormat,
  duration_seconds: seconds,
};

const interaction = {
  response: text,
  ...spoken,
  mode: { type: 'string', enum: INTERACT_MODES },
  transcript: described('What was heard, where the user spoke.', text),
  session_id: described('Of a conversation that is remembered.', text),
  character,
  context_source: source,
  context_cached: described('An earlier turn paid for the context.', { type: 'boolean' }),
  context_usage: described(
    'Tokens of the calls that wrote the context now.',
    ANSWER_PROPERTIES['usage'] ?? {},
  ),
  warnings,
  ...ANSWER_PROPERTIES,
};

const IN_TEXT: readonly string[] = ['response', 'mode', 'character', 'warnings'];

/** Paths, for the document. */
export const CHARACTERS_PATHS: Readonly<Record<string, object>> = {
  '/generate-context': {
    post: {
      summary: 'Let a model write context and rules for a character',
      description:
        'Without a model that is worth asking, they are made of the details alone, and `source` says `template`.',
      security,
      requestBody: { required: true, ...json(ref('GenerateContextRequest')) },
      responses: {
        ...ok('Context and rules', ref('GeneratedContext')),
        ...errors(...ANSWER_ERRORS, 'not_found'),
      },
    },
  },
  '/generate-response': {
    post: asking('Let a character answer, by context and rules', {
      description:
        'Rules of the gateway stand after those of the character, and above them; what the user says adds none.',
      request: 'GenerateResponseRequest',
      answer: 'GeneratedResponse',
    }),
  },
  '/interact': {
    post: asking('Say something to a character, in text or in speech', {
      description:
        'A context serves for half an hour; owner, character and models are its key. With `stream` the first event is a `note`: `character`, or `chat` where the conversation is remembered.',
      request: 'InteractRequest',
      answer: 'Interaction',
      more: ['not_found', 'conflict'],
    }),
  },
  '/speech-to-text': {
    post: {
      summary: 'Turn speech into text',
      security,
      requestBody: { required: true, ...json(ref('SpeechToTextRequest')) },
      responses: { ...ok('What was said', ref('Transcript')), ...errors(...ANSWER_ERRORS) },
    },
  },
  '/text-to-speech': {
    post: {
      summary: 'Turn text into speech',
      security,
      requestBody: { required: true, ...json(ref('TextToSpeechRequest')) },
      responses: { ...ok('The sound', ref('Speech')), ...errors(...ANSWER_ERRORS) },
    },
  },
  '/characters': {
    get: {
      summary: 'List the predefined characters and your own',
      security,
      responses: {
        ...ok('All of them', ref('CharacterList')),
        ...errors('unauthorized', 'unavailable'),
      },
    },
    post: {
      summary: 'Keep a character, under an `id` of yours or a new one',
      security,
      requestBody: { required: true, ...json(ref('CharacterDetails')) },
      responses: {
        201: {
          description: 'Kept',
          headers: location,
          ...json(ref('Character')),
        },
        ...errors(
          ...(['validation_failed', 'unauthorized', 'conflict', 'payload_too_large'] as const),
          ...(['unsupported_media_type', 'unavailable'] as const),
        ),
      },
    },
  },
  '/characters/{id}': {
    get: {
      summary: 'Read a character',
      security,
      parameters: [id],
      responses: {
        ...ok('The character', ref('Character')),
        ...errors('unauthorized', 'not_found', 'unavailable'),
      },
    },
    put: {
      summary: 'Replace a character of yours',
      security,
      parameters: [id],
      requestBody: { required: true, ...json(ref('CharacterDetails')) },
      responses: {
        ...ok('As it is now', ref('Character')),
        ...errors(
          ...(['validation_failed', 'unauthorized', 'forbidden', 'not_found'] as const),
          ...(['payload_too_large', 'unsupported_media_type', 'unavailable'] as const),
        ),
      },
    },
    delete: deletion('Delete a character of yours', 'Deleted', 'forbidden'),
  },
};

/** Schemas by name, for `components`. */
export const CHARACTERS_SCHEMAS: Readonly<Record<string, object>> = {
  GenerateContextRequest: requestOf(generateContextSchema),
  GeneratedContext: objectOf(
    {
      context: text,
      rules: listOf(text),
      source,
      character,
      greeting: textOrNull,
      language: textOrNull,
      voice_name: textOrNull,
      warnings,
      ...ANSWER_PROPERTIES,
      model: described('Null where no model was asked.', textOrNull),
      provider: textOrNull,
    },
    ['simulated'],
  ),
  GenerateResponseRequest: requestOf(generateResponseSchema),
  GeneratedResponse: objectOf({ response: text, ...ANSWER_PROPERTIES }, ['simulated']),
  InteractRequest: requestOf(interactSchema),
  Interaction: objectOf(
    interaction,
    Object.keys(interaction).filter(
      (name) => !IN_TEXT.includes(name) && (!(name in ANSWER_PROPERTIES) || name === 'simulated'),
    ),
  ),
  SpeechToTextRequest: requestOf(speechToTextSchema),
  Transcript: objectOf({ transcript: text, language: textOrNull, duration_seconds: seconds }),
  TextToSpeechRequest: requestOf(textToSpeechSchema),
  Speech: objectOf({ ...spoken, voice_name: nullable(text) }),
  CharacterDetails: described(
    'What describes a character; further fields are kept.',
    requestSchema(newCharacterSchema),
  ),
  CharacterList: objectOf(list, ['missing']),
  Character: objectOf(view),
};
