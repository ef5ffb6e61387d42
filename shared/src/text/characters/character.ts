/** What callers may say of a character, and the persona that comes of it. */

import * as z from 'zod';
import { asPlainText } from './plain-text.ts';

/** Longest text of one field, and of a name, in characters; most entries of a list. */
const MAX_TEXT_CHARS = 8_000;
const MAX_NAME_CHARS = 120;
const MAX_ENTRIES = 50;

/** Most fields that this schema does not know, and how deep they go: they all end in a prompt. */
const MAX_FURTHER_FIELDS = 40;
const MAX_FURTHER_DEPTH = 4;

/** All details together, in characters of JSON. */
const MAX_DETAILS_CHARS = 32_768;

const text = z.string().max(MAX_TEXT_CHARS);
const name = z.string().max(MAX_NAME_CHARS);
const texts = z.union([text, z.array(text).max(MAX_ENTRIES)]);

/** An id of a character: those of the callers' own platforms may be numbers. */
const characterId = z.union([z.string().max(MAX_NAME_CHARS), z.int()]);

const KNOWN_FIELDS = {
  id: characterId.nullish(),
  character_id: characterId.nullish(),
  name: name.nullish(),
  description: text.nullish(),
  personality: texts.nullish(),
  backstory: texts.nullish(),
  background: texts.nullish(),
  traits: texts.nullish(),
  speaking_style: texts.nullish(),
  goals: texts.nullish(),
  knowledge: texts.nullish(),
  greeting: text.nullish(),
  voice: z.union([name, z.looseObject({ voice_name: name.nullish() })]).nullish(),
  language: z.string().max(64).nullish(),
  boundaries: texts.nullish(),
  rules: texts.nullish(),
};

/** A character in the words of its caller: fields, of which further ones are kept as they are. */
export const characterObjectSchema = z.looseObject(KNOWN_FIELDS).superRefine((details, context) => {
  const fault = faultOf(details);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

/** The same, or one text: a description, or the id of a character. */
export const characterDetailsSchema = z.union([
  text.refine(isSaid, { message: 'must not be empty.' }),
  characterObjectSchema,
]);

/** Details as an object. */
export type CharacterFields = z.output<typeof characterObjectSchema>;

/** Details, checked. */
export type CharacterDetails = z.output<typeof characterDetailsSchema>;

/** A character as prompts are built from it. `''` and empty lists where nothing is known. */
export interface Persona {
  readonly name: string;
  readonly description: string;
  readonly personality: string;
  readonly background: string;
  readonly traits: readonly string[];
  readonly speakingStyle: string;
  readonly goals: readonly string[];
  readonly knowledge: readonly string[];
  readonly boundaries: readonly string[];
  readonly greeting: string;
  readonly language: string;
  readonly voiceName: string;
  /** What the schema has no field for, in the order of the details. */
  readonly further: readonly { readonly name: string; readonly text: string }[];
}

/** The persona of details. Texts are plain: without control characters, and without blanks around. */
export function personaOf(details: CharacterDetails): Persona {
  const fields: CharacterFields = typeof details === 'string' ? { description: details } : details;
  return {
    name: lineOf(fields.name),
    description: lineOf(fields.description, '\n'),
    personality: lineOf(fields.personality, '; '),
    background: [lineOf(fields.backstory, '\n'), lineOf(fields.background, '\n')]
      .filter(Boolean)
      .join('\n'),
    traits: listOf(fields.traits),
    speakingStyle: lineOf(fields.speaking_style, '; '),
    goals: listOf(fields.goals),
    knowledge: listOf(fields.knowledge),
    boundaries: [...listOf(fields.boundaries), ...listOf(fields.rules)],
    greeting: lineOf(fields.greeting, '\n'),
    language: lineOf(fields.language),
    voiceName: voiceNameOf(fields.voice),
    further: furtherOf(fields),
  };
}

/** `persona`, with what `changes` says in place of the same. */
export function overridePersona(persona: Persona, changes: Persona): Persona {
  const said = Object.entries(changes).filter(([, value]) => value.length > 0);
  return { ...persona, ...Object.fromEntries(said) };
}

/** True where the details tell who somebody is, and not only which one is meant. */
export function describesSomebody(persona: Persona): boolean {
  const { name: called, description, personality, background, traits } = persona;
  return [called, description, personality, background, traits].some(({ length }) => length > 0);
}

/** The id that details name, `undefined` where they name none. */
export function namedIdOf(details: CharacterDetails): string | undefined {
  const id = typeof details === 'string' ? details : (details.id ?? details.character_id);
  const named = id === undefined || id === null ? '' : String(id).trim();
  return named === '' ? undefined : named;
}

function faultOf(details: Readonly<Record<string, unknown>>): string | undefined {
  const known = Object.keys(KNOWN_FIELDS);
  if (!known.some((field) => isSaid(details[field]))) {
    return `must have at least one of: ${known.join(', ')}.`;
  }
  const further = Object.keys(details).filter((field) => !known.includes(field));
  if (further.length > MAX_FURTHER_FIELDS) {
    return `may have at most ${MAX_FURTHER_FIELDS} further fields.`;
  }
  // Before it is written as JSON, which would follow it to any depth.
  if (!isWithin(details, MAX_FURTHER_DEPTH)) {
    return `may be nested at most ${MAX_FURTHER_DEPTH} levels deep.`;
  }
  if (JSON.stringify(details).length <= MAX_DETAILS_CHARS) return undefined;
  return `is too long: all details together may have ${MAX_DETAILS_CHARS} characters of JSON.`;
}

function isSaid(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() !== '';
  return value !== undefined && value !== null;
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((entry) => isWithin(entry, levels - 1));
}

function listOf(value: string | readonly string[] | null | undefined): readonly string[] {
  const entries = typeof value === 'string' ? [value] : (value ?? []);
  return entries.map(asPlainText).filter((entry) => entry !== '');
}

function lineOf(value: string | readonly string[] | null | undefined, separator = ' '): string {
  return listOf(value).join(separator);
}

function voiceNameOf(voice: CharacterFields['voice']): string {
  return lineOf(typeof voice === 'string' ? voice : voice?.voice_name);
}

function furtherOf(fields: CharacterFields): Persona['further'] {
  return Object.entries(fields)
    .filter(([field, value]) => !Object.hasOwn(KNOWN_FIELDS, field) && isSaid(value))
    .map(([field, value]) => ({
      name: asPlainText(field).replace(/\s+/g, ' ').slice(0, MAX_NAME_CHARS),
      text: asPlainText(typeof value === 'string' ? value : JSON.stringify(value)),
    }));
}
