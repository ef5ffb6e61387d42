/** Answers that were given, for equal requests. Whatever goes wrong with it costs no answer. */

import type { Usage } from '@headwater/shared/stream/event';
import type { Logger } from '@headwater/shared/stream/ports';
import type { Database } from '../database/database.ts';
import { and, eq, gt, lt, sql } from '../database/orm.ts';
import { answerCache } from '../database/schema/answers.ts';

/** A kept answer. */
export interface KeptAnswer {
  readonly text: string;
  /** As it was asked for. */
  readonly model: string;
  readonly usage: Usage;
}

/** Where answers are kept. */
export interface AnswerCache {
  /** The answer under a key, where there is one that is at most so old. Never rejects. */
  find(key: string, maxAgeMs: number): Promise<KeptAnswer | undefined>;
  /** Keeps an answer, in place of an older one. Never rejects. */
  keep(key: string, answer: KeptAnswer, ttlMs: number): Promise<void>;
}

/** What the cache is wired to. */
export interface AnswerCachePorts {
  readonly database: Database;
  readonly logger: Logger;
  nowMs(): number;
  /** Longest time a caller waits for what might be there: then the model is asked. Default 1 s. */
  readonly findLimitMs?: number;
}

/** Longest answer that is kept, in bytes of UTF-8. */
export const MAX_KEPT_BYTES = 256 * 1024;

/** Least time between two sweeps of what has expired, in ms. */
const SWEEP_MS = 60_000;

/** Makes the cache. A gateway without a database keeps nothing, and says nothing of it. */
export function createAnswerCache(ports: AnswerCachePorts): AnswerCache {
  const { database, logger, nowMs, findLimitMs = 1_000 } = ports;
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  const isThere = () => database.look().kind !== 'none';

  async function read(key: string, maxAgeMs: number): Promise<KeptAnswer | undefined> {
    const now = nowMs();
    const [row] = await database.use((db) =>
      db
        .select()
        .from(answerCache)
        .where(
          and(
            eq(answerCache.key, key),
            gt(answerCache.createdAtMs, now - maxAgeMs),
            gt(answerCache.expiresAtMs, now),
          ),
        ),
    );
    if (row === undefined) return undefined;
    const { text, model, inputTokens, outputTokens, usageSource: source } = row;
    return { text, model, usage: { inputTokens, outputTokens, source } };
  }

  async function write(key: string, answer: KeptAnswer, ttlMs: number): Promise<void> {
    const now = nowMs();
    const { inputTokens, outputTokens, source: usageSource } = answer.usage;
    const row = {
      text: answer.text,
      model: answer.model,
      inputTokens,
      outputTokens,
      usageSource,
      createdAtMs: now,
      expiresAtMs: now + ttlMs,
    };
    await database.use((db) =>
      db
        .insert(answerCache)
        .values({ key, ...row })
        .onConflictDoUpdate({
          target: answerCache.key,
          set: row,
          // Of two that were written at the same time, the one that lasts longer stays.
          setWhere: sql`${answerCache.expiresAtMs} < excluded.expires_at_ms`,
        }),
    );
    if (now - sweptAtMs < SWEEP_MS) return;
    sweptAtMs = now;
    await database.use((db) => db.delete(answerCache).where(lt(answerCache.expiresAtMs, now)));
  }

  return {
    async find(key, maxAgeMs) {
      if (!isThere()) return undefined;
      const late = Promise.withResolvers<undefined>();
      const timer = setTimeout(late.resolve, findLimitMs, undefined);
      try {
        return await Promise.race([read(key, maxAgeMs), late.promise]);
      } catch (err) {
        logger.warn({ err }, 'kept answers could not be read');
        return undefined;
      } finally {
        clearTimeout(timer);
      }
    },
    async keep(key, answer, ttlMs) {
      if (!isThere() || Buffer.byteLength(answer.text) > MAX_KEPT_BYTES) return;
      // Postgres keeps every character but this one.
      if (answer.text.includes('\0')) return;
      try {
        await write(key, answer, ttlMs);
      } catch (err) {
        logger.warn({ err }, 'answer could not be kept');
      }
    },
  };
}
