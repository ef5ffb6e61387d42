/** Rows of conversations, and the conditions that find them. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Db } from '../database/database.ts';
import { and, eq, gte, lt } from '../database/orm.ts';
import { chatMessages, chatSessions } from '../database/schema/chat.ts';
import type { ChatMessage, ChatSession } from './chat-record.ts';

export type SessionRow = typeof chatSessions.$inferSelect;
type MessageRow = typeof chatMessages.$inferSelect;

/** One message. */
export async function messageWhere(
  db: Db,
  where: ReturnType<typeof and>,
): Promise<ChatMessage | undefined> {
  const [row] = await db.select().from(chatMessages).where(where).limit(1);
  return row && messageOf(row);
}

/** Its owner's conversation: another caller's is none. */
export const owned = (owner: string, sessionId: string) =>
  and(eq(chatSessions.id, sessionId), eq(chatSessions.owner, owner));

/** Answers of a conversation that are being written. */
export const pendingOf = (sessionId: string) =>
  and(eq(chatMessages.sessionId, sessionId), eq(chatMessages.status, 'pending'));

/** Messages of a conversation from one number to before another. */
export const between = (sessionId: string, fromSeq: number, beforeSeq: number) =>
  and(
    eq(chatMessages.sessionId, sessionId),
    gte(chatMessages.seq, fromSeq),
    lt(chatMessages.seq, beforeSeq),
  );

/** Said of an unknown conversation and of another caller's alike. */
export function noSession(): GatewayError {
  return new GatewayError('not_found', 'There is no such conversation.');
}

/** Postgres keeps no NUL in a text. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

/** As the rest of the service knows it. */
export function sessionOf(row: SessionRow): ChatSession {
  const { summary, summaryTokens, summarySeq, nextSeq: _next, ...session } = row;
  return {
    ...session,
    summary:
      summary === null ? null : { text: summary, tokens: summaryTokens, throughSeq: summarySeq },
  };
}

/** As the rest of the service knows it. */
export function messageOf({ turnKey: _key, ...row }: MessageRow): ChatMessage {
  return row as ChatMessage;
}
