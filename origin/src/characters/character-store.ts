/** Characters in the database, each owner's apart. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Database } from '../database/database.ts';
import { isDuplicate } from '../database/database-fault.ts';
import { and, count, desc, eq, sql } from '../database/orm.ts';
import { characterSessions, characters } from '../database/schema/characters.ts';
import { chatSessions } from '../database/schema/chat.ts';

/** A character as it is kept. */
export type CharacterRow = typeof characters.$inferSelect;

/** The same without its details, for lists. */
export type CharacterHead = Omit<CharacterRow, 'details'>;

/** What a caller says of one. */
type CharacterContent = Pick<CharacterRow, 'name' | 'summary' | 'details'>;

/** The character of a conversation. */
interface SessionCharacter {
  /** A digest of the details that began it. */
  readonly details: string;
  readonly name: string;
  /** `''`: the engine's default. */
  readonly voice: string;
}

/** Most characters of one owner. */
const MAX_CHARACTERS = 1_000;

/** Keeps them. Errors of all: `unavailable` of the database. */
export interface CharacterStore {
  /** Newest first. */
  list(owner: string): Promise<readonly CharacterHead[]>;
  find(owner: string, id: string): Promise<CharacterRow | undefined>;
  /** Errors: `conflict` where the owner has one of that id, or 1,000 of them. */
  add(owner: string, id: string, content: CharacterContent, nowMs: number): Promise<CharacterRow>;
  /** `undefined` where there is none. */
  replace(
    owner: string,
    id: string,
    content: CharacterContent,
    nowMs: number,
  ): Promise<CharacterRow | undefined>;
  /** False where there is none. */
  remove(owner: string, id: string): Promise<boolean>;
  /** Gives a conversation its character. */
  bindSession(sessionId: string, character: SessionCharacter): Promise<void>;
  /** `undefined` where the owner has no such conversation; `null` where that one has no character. */
  boundTo(owner: string, sessionId: string): Promise<SessionCharacter | null | undefined>;
}

/** Makes it. */
export function createCharacterStore(database: Database): CharacterStore {
  const ofOwner = (owner: string, id: string) =>
    and(eq(characters.owner, owner), eq(characters.id, id));

  return {
    list: (owner) =>
      database.use((db) =>
        db
          .select({
            owner: characters.owner,
            id: characters.id,
            name: characters.name,
            summary: characters.summary,
            version: characters.version,
            createdAtMs: characters.createdAtMs,
            updatedAtMs: characters.updatedAtMs,
          })
          .from(characters)
          .where(eq(characters.owner, owner))
          .orderBy(desc(characters.createdAtMs), desc(characters.id)),
      ),

    async find(owner, id) {
      const [row] = await database.use((db) =>
        db.select().from(characters).where(ofOwner(owner, id)).limit(1),
      );
      return row;
    },

    async add(owner, id, content, nowMs) {
      try {
        return await database.transaction(async (db) => {
          const [kept] = await db
            .select({ number: count() })
            .from(characters)
            .where(eq(characters.owner, owner));
          // Of two who come at once both may pass: the bound is there against floods.
          if ((kept?.number ?? 0) >= MAX_CHARACTERS) throw tooMany();
          const times = { createdAtMs: nowMs, updatedAtMs: nowMs };
          const row = { owner, id, ...content, version: 1, ...times };
          await db.insert(characters).values(row);
          return row;
        });
      } catch (thrown) {
        if (!isDuplicate(thrown)) throw thrown;
        throw new GatewayError('conflict', 'You have a character of this id.', { cause: thrown });
      }
    },

    async replace(owner, id, content, nowMs) {
      const [row] = await database.use((db) =>
        db
          .update(characters)
          .set({ ...content, version: sql`${characters.version} + 1`, updatedAtMs: nowMs })
          .where(ofOwner(owner, id))
          .returning(),
      );
      return row;
    },

    async remove(owner, id) {
      const gone = await database.use((db) =>
        db.delete(characters).where(ofOwner(owner, id)).returning({ id: characters.id }),
      );
      return gone.length > 0;
    },

    async bindSession(sessionId, character) {
      await database.use((db) => db.insert(characterSessions).values({ sessionId, ...character }));
    },

    async boundTo(owner, sessionId) {
      const [row] = await database.use((db) =>
        db
          .select({ bound: characterSessions })
          .from(chatSessions)
          .leftJoin(characterSessions, eq(characterSessions.sessionId, chatSessions.id))
          .where(and(eq(chatSessions.id, sessionId), eq(chatSessions.owner, owner)))
          .limit(1),
      );
      return row?.bound;
    },
  };
}

function tooMany(): GatewayError {
  return new GatewayError(
    'conflict',
    `You have ${MAX_CHARACTERS} characters: delete one that you no longer need.`,
  );
}
