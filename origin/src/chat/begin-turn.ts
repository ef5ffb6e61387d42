/** Begins a turn of a conversation: its question is kept, and an answer that is not written yet. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Db } from '../database/database.ts';
import { eq, sql } from '../database/orm.ts';
import { chatMessages, chatSessions } from '../database/schema/chat.ts';
import { type ChatMessage, type ChatSession, newChatId } from './chat-record.ts';
import {
  messageOf,
  messageWhere,
  noSession,
  owned,
  pendingOf,
  type SessionRow,
  sessionOf,
  storable,
} from './chat-rows.ts';

/** A turn that is to begin. */
export interface NewTurn {
  readonly owner: string;
  /** `undefined` begins a new conversation. */
  readonly sessionId: string | undefined;
  readonly message: string;
  /** Of the message. */
  readonly tokens: number;
  /** `undefined` keeps what the conversation has. */
  readonly system: string | undefined;
  /** Lets `system` replace another one. */
  readonly replacesSystem: boolean;
  readonly turnKey: string | undefined;
  readonly fingerprint: string | undefined;
  readonly nowMs: number;
}

/** What came of it. */
export type BegunTurn =
  | {
      readonly type: 'begun';
      readonly session: ChatSession;
      /** The pending answer; its question has the number before it. */
      readonly answer: ChatMessage;
      readonly isNewSession: boolean;
      /** What the turn may have replaced. */
      readonly systemBefore: string | null;
    }
  /** A turn with the same key is there. */
  | { readonly type: 'again'; readonly answer: ChatMessage }
  /** Another answer of this conversation is not over. */
  | { readonly type: 'busy'; readonly answer: ChatMessage };

/** Bounds of what one caller, and one conversation, may keep. */
export interface ChatBounds {
  readonly maxSessions: number;
  readonly maxMessages: number;
}

/** Begins it, or says why not. Errors: those of the store's `begin`. */
export async function beginTurn(db: Db, turn: NewTurn, bounds: ChatBounds): Promise<BegunTurn> {
  const { owner, sessionId, nowMs } = turn;
  // Whoever begins in the same place waits here: a new conversation for the owner's others, which
  // are counted; a turn for the other turns of its conversation.
  if (sessionId === undefined) {
    await db.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`chat ${owner}`}, 0))`);
  }
  const found = sessionId === undefined ? undefined : await lockSession(db, owner, sessionId);
  if (turn.turnKey !== undefined) {
    const answer = await messageWhere(db, eq(chatMessages.turnKey, turn.turnKey));
    if (answer !== undefined) return { type: 'again', answer };
  }
  if (found !== undefined) {
    const busy = await messageWhere(db, pendingOf(found.id));
    if (busy !== undefined) return { type: 'busy', answer: busy };
  }
  const row = found ?? (await addSession(db, turn, bounds));
  if (row.messageCount + 2 > bounds.maxMessages) {
    throw new GatewayError(
      'unprocessable',
      `This conversation is full: it may have ${bounds.maxMessages} messages here. Begin a new one, or raise CHAT_MAX_MESSAGES.`,
    );
  }
  const system = systemAfter(row, turn);
  const [session] = await db
    .update(chatSessions)
    .set({
      system,
      nextSeq: row.nextSeq + 2,
      messageCount: row.messageCount + 2,
      lastUsedAtMs: nowMs,
    })
    .where(eq(chatSessions.id, row.id))
    .returning();
  const common = { sessionId: row.id, createdAtMs: nowMs };
  const rows = await db
    .insert(chatMessages)
    .values([
      {
        ...common,
        id: newChatId('msg'),
        seq: row.nextSeq,
        role: 'user',
        status: 'completed',
        content: storable(turn.message),
        tokens: turn.tokens,
        endedAtMs: nowMs,
      },
      {
        ...common,
        id: newChatId('msg'),
        seq: row.nextSeq + 1,
        role: 'assistant',
        status: 'pending',
        content: '',
        tokens: 0,
        turnKey: turn.turnKey ?? null,
        fingerprint: turn.fingerprint ?? null,
      },
    ])
    .returning();
  const answer = rows.find(({ role }) => role === 'assistant');
  if (session === undefined || answer === undefined) throw new Error('an insert returned nothing');
  return {
    type: 'begun',
    session: sessionOf(session),
    answer: messageOf(answer),
    isNewSession: found === undefined,
    systemBefore: row.system,
  };
}

async function lockSession(db: Db, owner: string, sessionId: string): Promise<SessionRow> {
  const [row] = await db.select().from(chatSessions).where(owned(owner, sessionId)).for('update');
  if (row === undefined) throw noSession();
  return row;
}

/**
 * A caller beyond its bound is refused: making room by itself would delete a conversation that
 * somebody may come back to, without a word.
 */
async function addSession(db: Db, turn: NewTurn, bounds: ChatBounds): Promise<SessionRow> {
  const { owner, nowMs } = turn;
  const [counted] = await db
    .select({ count: sql<number>`count(*)::int` })
    .from(chatSessions)
    .where(eq(chatSessions.owner, owner));
  if ((counted?.count ?? 0) >= bounds.maxSessions) {
    throw new GatewayError(
      'rate_limited',
      `You have ${bounds.maxSessions} conversations, and may have no more here. Delete one: DELETE /ai/chat/{session_id}.`,
    );
  }
  const [row] = await db
    .insert(chatSessions)
    .values({
      id: newChatId('chat'),
      owner,
      system: turn.system === undefined ? null : storable(turn.system),
      nextSeq: 1,
      messageCount: 0,
      createdAtMs: nowMs,
      lastUsedAtMs: nowMs,
    })
    .returning();
  if (row === undefined) throw new Error('an insert returned nothing');
  return row;
}

/** Rules that hold for a conversation do not change by accident. */
function systemAfter(row: SessionRow, { system, replacesSystem }: NewTurn): string | null {
  if (system === undefined || storable(system) === row.system) return row.system;
  if (replacesSystem) return storable(system);
  const message =
    'differs from the one this conversation began with; to replace it, send update_system: true';
  throw new GatewayError('validation_failed', `The request has faults in: system_prompt.`, {
    details: { fields: [{ path: 'system_prompt', message }] },
  });
}
