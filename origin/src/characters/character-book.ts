/** Which characters a caller can name: the predefined ones, its own, and whatever it describes. */

import { randomUUID } from 'node:crypto';
import {
  type CharacterListView,
  type CharacterSummaryView,
  type CharacterView,
  type NewCharacter,
  requireCharacterId,
} from '@headwater/shared/protocol/characters';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Clock } from '@headwater/shared/stream/ports';
import {
  type CharacterDetails,
  type CharacterFields,
  describesSomebody,
  namedIdOf,
  overridePersona,
  type Persona,
  personaOf,
} from '@headwater/shared/text/characters/character';
import { asOneLine } from '@headwater/shared/text/characters/plain-text';
import type { PredefinedCharacter } from '@headwater/shared/text/characters/predefined-character';
import { PREDEFINED_CHARACTERS } from '@headwater/shared/text/characters/predefined-characters';
import type { Database } from '../database/database.ts';
import type { CharacterHead, CharacterRow, CharacterStore } from './character-store.ts';

/** What it is wired to. */
export interface CharacterBookPorts {
  readonly store: CharacterStore;
  readonly database: Pick<Database, 'look'>;
  readonly clock: Clock;
}

/** A character that was named or described. */
interface KnownCharacter {
  readonly persona: Persona;
  /** `null` where it is described alone. */
  readonly id: string | null;
}

/** The characters. Errors of all: `unavailable` of the database. */
export interface CharacterBook {
  list(owner: string): Promise<CharacterListView>;
  /** Errors: `not_found`. */
  read(owner: string, id: string): Promise<CharacterView>;
  /** Errors: `validation_failed` for an id that cannot be one, `conflict` for one that is taken. */
  add(owner: string, details: NewCharacter): Promise<CharacterView>;
  /** Errors: `not_found`, `forbidden` of a predefined one. */
  replace(owner: string, id: string, details: NewCharacter): Promise<CharacterView>;
  /** Errors: `not_found`, `forbidden` of a predefined one. */
  remove(owner: string, id: string): Promise<void>;
  /**
   * The character that details mean. Where they name a known one, what else they say goes in place
   * of the same. A text that is no known id is a description. Errors: `not_found` for an unknown id
   * beside which nothing tells who the character is.
   */
  resolve(owner: string, details: CharacterDetails): Promise<KnownCharacter>;
}

/** Ids that can be kept; others are known to nobody, and the database is not asked. */
const KEPT_ID = /^(?:char_[0-9a-f]{32}|[a-z0-9][a-z0-9-]{0,63})$/;

/** Longest summary in a list, in characters. */
const MAX_SUMMARY_CHARS = 200;

/** What a gateway without a database lacks. */
const NO_DATABASE = 'Own characters are kept in the database: set DATABASE_URL.';

/** Makes it. */
export function createCharacterBook(ports: CharacterBookPorts): CharacterBook {
  const { store, database, clock } = ports;

  async function findOwn(owner: string, id: string): Promise<CharacterRow | undefined> {
    if (!KEPT_ID.test(id) || database.look().kind === 'none') return undefined;
    return await store.find(owner, id);
  }

  async function detailsOf(owner: string, id: string): Promise<CharacterFields | undefined> {
    const predefined = PREDEFINED_CHARACTERS.get(id);
    if (predefined !== undefined) return predefined.details;
    const own = await findOwn(owner, id);
    return own && readDetails(own);
  }

  function requireOwn(id: string): string {
    if (PREDEFINED_CHARACTERS.has(id)) {
      throw new GatewayError(
        'forbidden',
        'A predefined character cannot be changed. Keep a copy of it under another id.',
      );
    }
    if (!KEPT_ID.test(id)) throw unknownCharacter();
    return id;
  }

  return {
    async list(owner) {
      const predefined = [...PREDEFINED_CHARACTERS.values()].map(headOfPredefined);
      if (database.look().kind === 'none') return { characters: predefined, missing: NO_DATABASE };
      const own = await store.list(owner);
      return { characters: [...predefined, ...own.map(headOfOwn)] };
    },

    async read(owner, id) {
      const predefined = PREDEFINED_CHARACTERS.get(id);
      if (predefined !== undefined) {
        return { ...headOfPredefined(predefined), details: predefined.details };
      }
      return viewOwn(await findOwn(owner, id));
    },

    async add(owner, details) {
      const named = namedIdOf(details);
      const id =
        named === undefined
          ? `char_${randomUUID().replaceAll('-', '')}`
          : requireCharacterId(named);
      if (PREDEFINED_CHARACTERS.has(id)) {
        throw new GatewayError('conflict', 'This id is that of a predefined character.');
      }
      return viewOwn(await store.add(owner, id, contentOf(details), clock.nowMs()));
    },

    async replace(owner, id, details) {
      return viewOwn(await store.replace(owner, requireOwn(id), contentOf(details), clock.nowMs()));
    },

    async remove(owner, id) {
      if (!(await store.remove(owner, requireOwn(id)))) throw unknownCharacter();
    },

    async resolve(owner, details) {
      const said = personaOf(details);
      const id = namedIdOf(details);
      const known = id === undefined ? undefined : await detailsOf(owner, id);
      if (id !== undefined && known !== undefined) {
        const persona = personaOf(known);
        const isText = typeof details === 'string';
        return { id, persona: isText ? persona : overridePersona(persona, said) };
      }
      if (describesSomebody(said) && !isGivenId(details)) return { id: null, persona: said };
      throw unknownCharacter();
    },
  };
}

/** True of a text that can be nothing but an id of the gateway's own making. */
function isGivenId(details: CharacterDetails): boolean {
  return typeof details === 'string' && details.trim().startsWith('char_') && KEPT_ID.test(details);
}

/** Said of unknown ones, and of other callers', alike. */
function unknownCharacter(): GatewayError {
  return new GatewayError('not_found', 'There is no such character.');
}

function contentOf(details: NewCharacter) {
  // The id stands beside the details, and says nothing of the character.
  const { id: _id, character_id: _other, ...rest } = details;
  const { name } = personaOf(details);
  return {
    name: asOneLine(name),
    summary: summaryOf(details) ?? '',
    details: JSON.stringify(rest),
  };
}

function summaryOf(details: CharacterFields): string | null {
  const { description, personality } = personaOf(details);
  const text = asOneLine(description || personality);
  if (text === '') return null;
  return text.length <= MAX_SUMMARY_CHARS
    ? text
    : `${text.slice(0, MAX_SUMMARY_CHARS - 1).toWellFormed()}…`;
}

/** It was checked when it was kept. */
function readDetails(row: CharacterRow): CharacterFields {
  return JSON.parse(row.details) as CharacterFields;
}

function headOfPredefined(character: PredefinedCharacter): CharacterSummaryView {
  const { id, version, summary, details } = character;
  const times = { created_at: null, updated_at: null };
  return { id, name: details.name, kind: 'predefined', version, summary, ...times };
}

function headOfOwn(row: CharacterHead): CharacterSummaryView {
  return {
    id: row.id,
    name: row.name,
    kind: 'custom',
    version: row.version,
    summary: row.summary || null,
    created_at: new Date(row.createdAtMs).toISOString(),
    updated_at: new Date(row.updatedAtMs).toISOString(),
  };
}

function viewOwn(row: CharacterRow | undefined): CharacterView {
  if (row === undefined) throw unknownCharacter();
  return { ...headOfOwn(row), details: readDetails(row) };
}
