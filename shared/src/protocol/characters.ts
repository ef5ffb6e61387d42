/** Seed 004's character services: context, response, interaction, speech, and characters by id. */

import * as z from 'zod';
import { characterDetailsSchema, characterObjectSchema } from '../text/characters/character.ts';
import { asOneLine } from '../text/characters/plain-text.ts';
import { answerOptions } from './answer-options.ts';
import { GatewayError } from './errors.ts';

/** Longest context of a persona, in characters; most rules, and the longest one. */
const MAX_CONTEXT_CHARS = 65_536;
const MAX_RULES = 200;
const MAX_RULE_CHARS = 10_000;

/** Most turns of a conversation that its caller remembers. */
const MAX_TURNS = 200;

/** Longest text that is spoken at once, in characters. */
const MAX_SPOKEN_CHARS = 5_000;

/** Ids that callers give their characters; `char_…` are the gateway's own. */
const CHARACTER_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** How `/interact` hears and answers; an underscore counts as a hyphen. */
export const INTERACT_MODES = ['text', 'voice', 'text-to-voice', 'voice-to-text'] as const;

/** One of them. */
export type InteractMode = (typeof INTERACT_MODES)[number];

/** Other names of the same. */
const MODE_ALIASES: Readonly<Record<string, InteractMode>> = {
  'text-to-text': 'text',
  'voice-to-voice': 'voice',
};

const said = z.string().refine((value) => value.trim() !== '', { message: 'must not be empty.' });

const rule = z.string().max(MAX_RULE_CHARS);
const rules = z.union([z.string().max(MAX_CONTEXT_CHARS), z.array(rule).max(MAX_RULES)]);

const history = z
  .array(z.object({ role: z.enum(['user', 'assistant']), content: said }))
  .max(MAX_TURNS);

const voiceName = z.string().min(1).max(120);
const language = z.string().min(1).max(64);

const mode = z.preprocess((value) => {
  if (typeof value !== 'string') return value;
  const plain = value.trim().toLowerCase().replaceAll('_', '-');
  return MODE_ALIASES[plain] ?? plain;
}, z.enum(INTERACT_MODES));

const { stream: _stream, ...wholeAnswerOptions } = answerOptions;

/** Body of `POST /generate-context`; unknown fields are left alone, here and below. */
export const generateContextSchema = z.object({
  user_input: said,
  character_details: characterDetailsSchema,
  ...wholeAnswerOptions,
});

/** Body of `POST /generate-response`. */
export const generateResponseSchema = z.object({
  user_query: said,
  /** A text, or what `/generate-context` answered. */
  persona_context: z.union([
    said.max(MAX_CONTEXT_CHARS),
    z.object({ context: said.max(MAX_CONTEXT_CHARS), rules: rules.nullish() }),
  ]),
  /** Also those of `persona_context` count. A text is one rule a line. */
  rules: rules.nullish(),
  /** What was said before, oldest first. */
  history: history.nullish(),
  ...answerOptions,
});

/** Body of `POST /interact`. */
export const interactSchema = z
  .object({
    /** Left out where the user speaks. */
    user_input: z.string().nullish(),
    character_details: characterDetailsSchema.nullish(),
    mode: mode.default('text'),
    /** Base64 of PCM16, 16 kHz, mono. */
    audio_data: z.string().nullish(),
    /** A conversation that `remember` began; its character stays. */
    session_id: z.string().min(1).max(100).nullish(),
    /** Begins a conversation that the gateway remembers; the answer names its `session_id`. */
    remember: z.boolean().nullish(),
    /** What was said before, oldest first, where the caller remembers it. */
    history: history.nullish(),
    voice_name: voiceName.nullish(),
    /** Of the speech that comes in. */
    language: language.nullish(),
    ...answerOptions,
  })
  .superRefine((body, context) => {
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    const isHeard = hearsSpeech(body.mode);
    if (!isHeard && !body.user_input?.trim()) fault('user_input', 'must not be empty.');
    if (isHeard && !body.audio_data) fault('audio_data', 'is needed in this mode.');
    if (!body.session_id && !body.character_details) {
      fault('character_details', 'is needed where there is no `session_id`.');
    }
    if (body.session_id && body.remember) {
      fault('remember', 'begins a conversation: leave it out, or `session_id`.');
    }
    if (body.history && (body.session_id || body.remember)) {
      fault(
        'history',
        'is what the caller remembers: leave it out, or `session_id` and `remember`.',
      );
    }
    if (body.stream && speaksAnswer(body.mode)) {
      fault('stream', 'serves answers in text: leave it out, or choose another `mode`.');
    }
  });

/** Body of `POST /speech-to-text`. */
export const speechToTextSchema = z.object({
  /** Base64 of PCM16, 16 kHz, mono. */
  audio_data: said,
  language: language.nullish(),
});

/** Body of `POST /text-to-speech`. */
export const textToSpeechSchema = z.object({
  text: said.max(MAX_SPOKEN_CHARS),
  voice_name: voiceName.nullish(),
});

/** Body of `POST /characters` and `PUT /characters/{id}`: the details, with a name. */
export const newCharacterSchema = characterObjectSchema.superRefine((details, context) => {
  if (asOneLine(details.name ?? '') === '') {
    context.addIssue({ code: 'custom', path: ['name'], message: 'must not be empty.' });
  }
});

/** Valid bodies. */
export type GenerateContextRequest = z.output<typeof generateContextSchema>;
export type GenerateResponseRequest = z.output<typeof generateResponseSchema>;
export type InteractRequest = z.output<typeof interactSchema>;
export type NewCharacter = z.output<typeof newCharacterSchema>;

/** A character in a list. */
export interface CharacterSummaryView {
  readonly id: string;
  readonly name: string;
  readonly kind: 'predefined' | 'custom';
  /** Counts from 1, one more with each change. */
  readonly version: number;
  /** Who it is, in one sentence; `null` where its details say none. */
  readonly summary: string | null;
  /** `null` of a predefined one. */
  readonly created_at: string | null;
  readonly updated_at: string | null;
}

/** Answer of `GET /characters`. */
export interface CharacterListView {
  /** Predefined ones first, then the caller's own, newest first. */
  readonly characters: readonly CharacterSummaryView[];
  /** Set where characters cannot be kept: what it takes. */
  readonly missing?: string;
}

/** Answer of `GET /characters/{id}`. */
export interface CharacterView extends CharacterSummaryView {
  /** As `character_details` takes them. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** True where speech comes in. */
export const hearsSpeech = (mode: InteractMode): boolean =>
  mode === 'voice' || mode === 'voice-to-text';

/** True where speech goes out. */
export const speaksAnswer = (mode: InteractMode): boolean =>
  mode === 'voice' || mode === 'text-to-voice';

/** The id that a caller gives a character. Errors: `validation_failed`. */
export function requireCharacterId(id: string): string {
  if (CHARACTER_ID.test(id)) return id;
  throw faulty([
    { path: 'id', message: 'must be 1–64 of a–z, 0–9 and -, and begin with no hyphen.' },
  ]);
}

/** Rules as a list; of a text each line is one, without its bullet or number. */
export function rulesOf(given: z.output<typeof rules> | null | undefined): readonly string[] {
  const lines = typeof given === 'string' ? given.split('\n') : (given ?? []);
  const plain = typeof given === 'string' ? lines.map(withoutBullet) : lines;
  return plain.filter((line) => line.trim() !== '');
}

/** Validates a body. Errors: `validation_failed` with every faulty field. */
export function readCharacterRequest<Schema extends z.ZodType>(
  schema: Schema,
  body: Record<string, unknown>,
): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw faulty(
    result.error.issues.flatMap(plainIssues).map(({ path, message }) => ({
      path: path.join('.'),
      message,
    })),
  );
}

function withoutBullet(line: string): string {
  return line.replace(/^\s*(?:[-*•]|\d{1,3}[.)])\s+/, '').trim();
}

/** Of a choice of shapes: the faults of the one that was meant, which is the one that got furthest. */
function plainIssues(
  issue: z.core.$ZodIssue,
): readonly Pick<z.core.$ZodIssue, 'path' | 'message'>[] {
  if (issue.code !== 'invalid_union') return [issue];
  const branches = issue.errors.map((errors) => errors.flatMap(plainIssues));
  const reach = (errors: (typeof branches)[number]) =>
    Math.max(0, ...errors.map(({ path }) => path.length));
  const meant = branches.toSorted((one, other) => reach(other) - reach(one))[0];
  if (meant === undefined || reach(meant) === 0) {
    return [{ path: issue.path, message: 'has the wrong type.' }];
  }
  return meant.map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
}

function faulty(fields: readonly { readonly path: string; readonly message: string }[]) {
  const names = [...new Set(fields.map(({ path }) => path || 'body'))].join(', ');
  return new GatewayError('validation_failed', `The request has faults in: ${names}.`, {
    details: { fields },
  });
}
