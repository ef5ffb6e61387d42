import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { describe, expect, it } from 'vitest';
import type { Database } from '../database/database.ts';
import { noDatabase } from '../database/no-database.ts';
import { eq } from '../database/orm.ts';
import { answerCache } from '../database/schema/answers.ts';
import { describeWithDatabases } from '../testing/describe-with-databases.ts';
import { createAnswerCache, type KeptAnswer, MAX_KEPT_BYTES } from './answer-cache.ts';

const answer = (text = 'Yes.'): KeptAnswer => ({
  text,
  model: 'gpt-4',
  usage: { inputTokens: 3, outputTokens: 4, source: 'provider' },
});

describeWithDatabases('kept answers', (database, kind) => {
  let nowMs = Date.UTC(2030, 0, 1);
  const cache = () =>
    createAnswerCache({
      database: database(),
      logger: createSilentLogger(),
      nowMs: () => nowMs,
      findLimitMs: 60_000,
    });
  const rows = (key: string) =>
    database().use((db) => db.select().from(answerCache).where(eq(answerCache.key, key)));

  it('ANSWER-9: an answer is found under its key until its time is over, and by nobody who wants a younger one', async () => {
    const key = `${kind}-time`;
    const kept = cache();
    expect(await kept.find(key, 60_000)).toBeUndefined();
    await kept.keep(key, answer(), 60_000);
    expect(await kept.find(key, 60_000)).toEqual(answer());
    nowMs += 30_000;
    expect(await kept.find(key, 30_000)).toBeUndefined();
    expect(await kept.find(key, 31_000)).toEqual(answer());
    nowMs += 30_000;
    expect(await kept.find(key, 600_000)).toBeUndefined();
  });

  it('ANSWER-9: a newer answer takes the place of an older one, and what has expired is swept', async () => {
    const key = `${kind}-sweep`;
    const kept = cache();
    await kept.keep(key, answer('old'), 60_000);
    nowMs += 1_000;
    await kept.keep(key, answer('new'), 60_000);
    expect(await kept.find(key, 60_000)).toEqual(answer('new'));
    nowMs += 120_000;
    await kept.keep(`${key}-other`, answer(), 60_000);
    expect(await rows(key)).toEqual([]);
    expect(await rows(`${key}-other`)).toHaveLength(1);
  });

  it('ANSWER-9: an answer that is too long, or that Postgres has no text for, is not kept', async () => {
    const key = `${kind}-long`;
    const kept = cache();
    await kept.keep(key, answer('é'.repeat(MAX_KEPT_BYTES / 2 + 1)), 60_000);
    await kept.keep(key, answer('a\0b'), 60_000);
    expect(await rows(key)).toEqual([]);
    await kept.keep(key, answer('é'.repeat(MAX_KEPT_BYTES / 2)), 60_000);
    expect(await rows(key)).toHaveLength(1);
  });
});

describe('kept answers without their database', () => {
  const away: Database = {
    ...noDatabase,
    look: () => ({ kind: 'postgres', state: 'away' }),
  };

  it('ANSWER-9: a database that is away costs a warning, and none at all not even that', async () => {
    const warned: string[] = [];
    const logger = {
      ...createSilentLogger(),
      warn: (_fields: object, message: string) => void warned.push(message),
    };
    const ports = { logger, nowMs: () => 0 };
    const cache = createAnswerCache({ ...ports, database: away });
    expect(await cache.find('a', 1_000)).toBeUndefined();
    await cache.keep('a', answer(), 1_000);
    expect(warned).toEqual(['kept answers could not be read', 'answer could not be kept']);
    const none = createAnswerCache({ ...ports, database: noDatabase });
    expect(await none.find('a', 1_000)).toBeUndefined();
    await none.keep('a', answer(), 1_000);
    expect(warned).toHaveLength(2);
  });

  it('ANSWER-9: one that does not answer is not waited for', async () => {
    const stuck: Database = { ...away, use: () => new Promise<never>(() => undefined) };
    const cache = createAnswerCache({
      database: stuck,
      logger: createSilentLogger(),
      nowMs: () => 0,
      findLimitMs: 0,
    });
    expect(await cache.find('a', 1_000)).toBeUndefined();
  });
});
