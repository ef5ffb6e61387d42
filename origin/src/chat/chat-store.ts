/** Conversations in the database. */

import { MESSAGE_OVERHEAD_TOKENS } from '@headwater/shared/text/chat/conversation-window';
import type { Database, Db } from '../database/database.ts';
import { and, asc, desc, eq, gt, inArray, isNotNull, lt, lte, or, sql } from '../database/orm.ts';
import { chatMessages, chatSessions } from '../database/schema/chat.ts';
import { SWEPT_AT_ONCE, sweepAll } from '../database/sweep-all.ts';
import { type BegunTurn, beginTurn, type ChatBounds, type NewTurn } from './begin-turn.ts';
import type {
  AnswerFacts,
  ChatMessage,
  ChatSession,
  ChatSummary,
  MessageStatus,
  TurnFacts,
} from './chat-record.ts';
import {
  between,
  messageOf,
  messageWhere,
  owned,
  pendingOf,
  sessionOf,
  storable,
} from './chat-rows.ts';

/** A turn of the past, without its text. */
export interface PastTurn {
  /** Number of the question; the answer has the one after it. */
  readonly seq: number;
  readonly tokens: number;
}

/** Where an answer comes from. */
interface AnswerStream {
  readonly streamId: string;
  readonly isCached: boolean;
}

/** The end of an answer. */
export interface AnswerEnding extends Omit<AnswerFacts, 'isCached'> {
  readonly status: Exclude<MessageStatus, 'pending'>;
  readonly content: string;
  readonly tokens: number;
  readonly endedAtMs: number;
}

/** A part of a list. */
export interface Page {
  readonly limit: number;
  /** What comes after this one; one that is not there leaves nothing. */
  readonly after?: string | undefined;
}

/** Some messages of a conversation. */
export interface MessagePage {
  readonly messages: readonly ChatMessage[];
  readonly hasMore: boolean;
}

/** Keeps conversations. Errors: `unavailable` of the database. */
export interface ChatStore {
  /**
   * Keeps the question and a pending answer, or says why not. Errors: `not_found`,
   * `validation_failed` (another system prompt), `rate_limited` (too many conversations),
   * `unprocessable` (too many messages).
   */
  begin(turn: NewTurn, bounds: ChatBounds): Promise<BegunTurn>;
  /** Takes a turn back that no model was asked for; the conversation too, where it began with it. */
  withdraw(turn: Extract<BegunTurn, { type: 'begun' }>): Promise<void>;
  /** Names the stream of an answer. False where its conversation is gone. */
  setStream(answerId: string, stream: AnswerStream, facts: TurnFacts): Promise<boolean>;
  /** The answer as it is kept then; an end stands. `undefined` where its conversation is gone. */
  end(answerId: string, ending: AnswerEnding): Promise<ChatMessage | undefined>;
  findAnswer(answerId: string): Promise<ChatMessage | undefined>;
  /** Turns with an answer that has text, after one number and before another, oldest first. */
  pastTurns(sessionId: string, afterSeq: number, beforeSeq: number): Promise<PastTurn[]>;
  /** The texts of messages from one number to before another. */
  contents(sessionId: string, fromSeq: number, beforeSeq: number): Promise<Map<number, string>>;
  /** False where one that reaches further is there, or the conversation is gone. */
  keepSummary(sessionId: string, summary: ChatSummary): Promise<boolean>;
  find(owner: string, sessionId: string): Promise<ChatSession | undefined>;
  /** Newest first. */
  list(owner: string, page: Page): Promise<ChatSession[]>;
  /** In their order; fewer than `limit` where they are very long. */
  messages(sessionId: string, page: Page): Promise<MessagePage>;
  /** Answers that are not over. */
  pending(sessionId: string): Promise<ChatMessage[]>;
  /** With all its messages. `undefined` where there is none; else the streams of its pending answers. */
  remove(owner: string, sessionId: string): Promise<readonly string[] | undefined>;
  /** Removes conversations that were last used before a time, and says how many. */
  sweep(beforeMs: number): Promise<number>;
}

/** Text of one page of messages, but for a single longer one: it is held in memory as a whole. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** Makes it. */
export function createChatStore(database: Database): ChatStore {
  return {
    begin: (turn, bounds) => database.transaction((db) => beginTurn(db, turn, bounds)),
    withdraw: ({ answer: { sessionId, seq }, isNewSession, systemBefore: system }) =>
      database.transaction(async (db) => {
        if (isNewSession) {
          await db.delete(chatSessions).where(eq(chatSessions.id, sessionId));
          return;
        }
        const gone = await db
          .delete(chatMessages)
          .where(
            and(eq(chatMessages.sessionId, sessionId), inArray(chatMessages.seq, [seq - 1, seq])),
          )
          .returning({ seq: chatMessages.seq });
        const messageCount = sql`${chatSessions.messageCount} - ${gone.length}`;
        await db
          .update(chatSessions)
          .set({ messageCount, system })
          .where(eq(chatSessions.id, sessionId));
      }),
    setStream: (answerId, { streamId, isCached }, facts) =>
      database.use(async (db) => {
        const kept = await db
          .update(chatMessages)
          .set({ streamId, isCached, facts })
          .where(eq(chatMessages.id, answerId))
          .returning({ id: chatMessages.id });
        return kept.length > 0;
      }),
    end: (answerId, ending) => database.transaction((db) => endAnswer(db, answerId, ending)),
    findAnswer: (answerId) => database.use((db) => messageWhere(db, eq(chatMessages.id, answerId))),
    pastTurns: (sessionId, afterSeq, beforeSeq) =>
      database.use(async (db) => {
        const rows = await db
          .select({
            seq: chatMessages.seq,
            role: chatMessages.role,
            tokens: chatMessages.tokens,
            hasText: sql<boolean>`${chatMessages.content} <> ''`,
          })
          .from(chatMessages)
          .where(between(sessionId, afterSeq + 1, beforeSeq))
          .orderBy(asc(chatMessages.seq));
        return rows.flatMap((answer, at): PastTurn[] => {
          const question = rows[at - 1];
          if (answer.role !== 'assistant' || !answer.hasText) return [];
          if (question?.role !== 'user' || question.seq !== answer.seq - 1) return [];
          const tokens = question.tokens + answer.tokens + 2 * MESSAGE_OVERHEAD_TOKENS;
          return [{ seq: question.seq, tokens }];
        });
      }),
    contents: (sessionId, fromSeq, beforeSeq) =>
      database.use(async (db) => {
        const rows = await db
          .select({ seq: chatMessages.seq, content: chatMessages.content })
          .from(chatMessages)
          .where(between(sessionId, fromSeq, beforeSeq));
        return new Map(rows.map(({ seq, content }) => [seq, content]));
      }),
    keepSummary: (sessionId, { text, tokens, throughSeq }) =>
      database.use(async (db) => {
        const kept = await db
          .update(chatSessions)
          .set({ summary: storable(text), summaryTokens: tokens, summarySeq: throughSeq })
          .where(and(eq(chatSessions.id, sessionId), lt(chatSessions.summarySeq, throughSeq)))
          .returning({ id: chatSessions.id });
        return kept.length > 0;
      }),
    find: (owner, sessionId) =>
      database.use(async (db) => {
        const [row] = await db.select().from(chatSessions).where(owned(owner, sessionId));
        return row && sessionOf(row);
      }),
    list: (owner, page) => database.use((db) => listSessions(db, owner, page)),
    messages: (sessionId, page) => database.use((db) => listMessages(db, sessionId, page)),
    pending: (sessionId) =>
      database.use(async (db) => {
        const rows = await db.select().from(chatMessages).where(pendingOf(sessionId));
        return rows.map(messageOf);
      }),
    remove: (owner, sessionId) =>
      database.transaction(async (db) => {
        const [row] = await db
          .select({ id: chatSessions.id })
          .from(chatSessions)
          .where(owned(owner, sessionId))
          .for('update');
        if (row === undefined) return undefined;
        const live = await db
          .select({ streamId: chatMessages.streamId })
          .from(chatMessages)
          .where(and(pendingOf(sessionId), isNotNull(chatMessages.streamId)));
        await db.delete(chatSessions).where(eq(chatSessions.id, sessionId));
        return live.flatMap(({ streamId }) => (streamId === null ? [] : [streamId]));
      }),
    sweep: (beforeMs) => sweepAll(database, (db) => sweepSome(db, beforeMs)),
  };
}

/** An end may be told twice, and after the answer was given up as lost: the first real one stands. */
async function endAnswer(
  db: Db,
  answerId: string,
  { endedAtMs, content, ...ending }: AnswerEnding,
): Promise<ChatMessage | undefined> {
  const open: MessageStatus[] = ending.status === 'lost' ? ['pending'] : ['pending', 'lost'];
  const [row] = await db
    .update(chatMessages)
    .set({ ...ending, content: storable(content), endedAtMs })
    .where(and(eq(chatMessages.id, answerId), inArray(chatMessages.status, open)))
    .returning();
  if (row === undefined) return await messageWhere(db, eq(chatMessages.id, answerId));
  await db
    .update(chatSessions)
    .set({ lastUsedAtMs: sql`greatest(${chatSessions.lastUsedAtMs}, ${endedAtMs})` })
    .where(eq(chatSessions.id, row.sessionId));
  return messageOf(row);
}

async function listSessions(db: Db, owner: string, page: Page): Promise<ChatSession[]> {
  const { createdAtMs, id } = chatSessions;
  let older: ReturnType<typeof or>;
  if (page.after !== undefined) {
    const [last] = await db
      .select({ createdAtMs })
      .from(chatSessions)
      .where(owned(owner, page.after));
    if (last === undefined) return [];
    older = or(
      lt(createdAtMs, last.createdAtMs),
      and(eq(createdAtMs, last.createdAtMs), lt(id, page.after)),
    );
  }
  const rows = await db
    .select()
    .from(chatSessions)
    .where(and(eq(chatSessions.owner, owner), older))
    .orderBy(desc(createdAtMs), desc(id))
    .limit(page.limit);
  return rows.map(sessionOf);
}

async function listMessages(db: Db, sessionId: string, page: Page): Promise<MessagePage> {
  let afterSeq = 0;
  if (page.after !== undefined) {
    const last = await messageWhere(
      db,
      and(eq(chatMessages.sessionId, sessionId), eq(chatMessages.id, page.after)),
    );
    if (last === undefined) return { messages: [], hasMore: false };
    afterSeq = last.seq;
  }
  const sizes = await db
    .select({ seq: chatMessages.seq, bytes: sql<number>`octet_length(${chatMessages.content})` })
    .from(chatMessages)
    .where(and(eq(chatMessages.sessionId, sessionId), gt(chatMessages.seq, afterSeq)))
    .orderBy(asc(chatMessages.seq))
    .limit(page.limit + 1);
  let bytes = 0;
  const fitting = sizes.slice(0, page.limit).filter((message, at) => {
    bytes += message.bytes;
    return at === 0 || bytes <= MAX_PAGE_BYTES;
  });
  const lastSeq = fitting.at(-1)?.seq ?? afterSeq;
  const rows = await db
    .select()
    .from(chatMessages)
    .where(between(sessionId, afterSeq + 1, lastSeq + 1))
    .orderBy(asc(chatMessages.seq));
  return { messages: rows.map(messageOf), hasMore: sizes.length > fitting.length };
}

async function sweepSome(db: Db, beforeMs: number): Promise<number> {
  const old = db
    .select({ id: chatSessions.id })
    .from(chatSessions)
    .where(lte(chatSessions.lastUsedAtMs, beforeMs))
    .limit(SWEPT_AT_ONCE);
  const gone = await db
    .delete(chatSessions)
    .where(inArray(chatSessions.id, old))
    .returning({ id: chatSessions.id });
  return gone.length;
}
