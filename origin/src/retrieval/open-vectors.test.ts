import { createHash } from 'node:crypto';
import type { EmbeddingModel } from '@headwater/shared/providers/embedding-model';
import { VendorError } from '@headwater/shared/providers/vendor-error';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { scriptedVector } from '@headwater/shared/testing/vendors/embeddings';
import { expect, it, type TestContext } from 'vitest';
import { sql } from '../database/orm.ts';
import { describeWithDatabases } from '../testing/describe-with-databases.ts';
import { CLAIM_LEASE_MS } from './embedding-queue.ts';
import { openPassageLibrary } from './open-library.ts';
import { openVectors, type VectorPorts } from './open-vectors.ts';
import type { NewDocument } from './passage-library.ts';

let names = 0;
const newName = (prefix: string) => {
  names += 1;
  return `${prefix}-${names}`;
};

/** Scripted vectors; `refusals` are thrown before them, and every text is noted. */
function scriptedModel(refusals: Error[] = []) {
  const asked: string[] = [];
  const model: EmbeddingModel = {
    name: newName("o'model"),
    async embed(texts) {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      asked.push(...texts);
      return texts.map(scriptedVector);
    },
  };
  return { model, asked };
}

function documentOf(owner: string, texts: readonly string[]): NewDocument {
  const text = texts.join('\n');
  let at = 0;
  return {
    owner,
    collection: 'default',
    title: 'T',
    mediaType: 'text/plain',
    bytes: text.length,
    sha256: createHash('sha256').update(text).digest('hex'),
    metadata: {},
    content: { text, blocks: [] },
    passages: texts.map((own) => {
      const start = at;
      at += own.length + 1;
      return { start, end: start + own.length, heading: '' };
    }),
  };
}

/** Sleeps for ever, but for an abort. */
const still = {
  sleep: (_ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    }),
};

describeWithDatabases('vectors of passages', (database) => {
  function open(model: EmbeddingModel, more: Partial<VectorPorts> = {}) {
    const logger = createSilentLogger();
    const ports = { database: database(), logger, nowMs: Date.now };
    const vectors = openVectors({ ...ports, model, clock: still, ...more });
    return { library: openPassageLibrary({ ...ports, vectors }), vectors, logger };
  }

  async function needVectors(context: TestContext): Promise<void> {
    if (await database().hasVectors()) return;
    context.skip('this Postgres server lacks pgvector');
  }

  it('FIND-14: find what has other words, and are fused with the words', async (context) => {
    await needVectors(context);
    const { model, asked } = scriptedModel();
    const { library, vectors } = open(model);
    const owner = newName('owner');
    const texts = ['The automobile stops here.', 'The river is wide.', 'Nothing of it.'];
    const { record } = await library.add(documentOf(owner, texts));
    await vectors.idle();
    expect(asked).toEqual(texts);
    expect((await library.get(owner, record.id))?.embedded).toBe(3);
    expect((await library.list(owner, { limit: 1 }))[0]?.embedded).toBe(3);
    const [first] = await library.search({ owner, query: 'car', limit: 2 });
    expect(first).toMatchObject({ text: texts[0], vectorRank: 1 });
    expect(first?.lexicalRank).toBeUndefined();
    const [both] = await library.search({ owner, query: 'wide river', limit: 1 });
    expect(both).toMatchObject({ text: texts[1], vectorRank: 1, lexicalRank: 1 });
    expect(both?.score).toBeCloseTo(2 / 61, 9);
    expect(library.look().vectors).toEqual({ state: 'on', model: model.name });
    expect(await library.search({ owner: 'other', query: 'car', limit: 2 })).toEqual([]);
    const documentIds = ['doc_other'];
    expect(await library.search({ owner, query: 'car', limit: 2, documentIds })).toEqual([]);
    await library.remove(owner, record.id);
    expect(await library.search({ owner, query: 'car', limit: 2 })).toEqual([]);
    await library.close();
  });

  it('FIND-14: of many are found by an index of their model', async (context) => {
    await needVectors(context);
    const { model } = scriptedModel();
    const { library, vectors } = open(model, { exactUpTo: 0 });
    const [owner, other] = [newName('owner'), newName('owner')];
    const texts = Array.from({ length: 150 }, (_, n) => `The automobile number${n} of many.`);
    await library.add(documentOf(other, texts));
    await library.add(documentOf(owner, ['A car.', 'The sea.']));
    await vectors.idle();
    const found = await library.search({ owner, query: 'car', limit: 2 });
    expect(found[0]?.text).toBe('A car.');
    expect(found[0]?.vectorRank).toBe(1);
    const { rows } = await database().use((db) =>
      db.execute<{ n: number }>(sql`select count(*)::int as n from pg_indexes
        where tablename = 'passage_vectors' and indexdef like ${`%${model.name.replace("'", "''")}%`}`),
    );
    expect(rows[0]?.n).toBe(1);
    await library.close();
  });

  it('FIND-15: are made for what was there before the model, and only once', async (context) => {
    await needVectors(context);
    const owner = newName('owner');
    const words = openPassageLibrary({
      database: database(),
      logger: createSilentLogger(),
      nowMs: Date.now,
    });
    const texts = Array.from({ length: 200 }, (_, n) => `Passage number${n}.`);
    await words.add(documentOf(owner, texts));
    await words.close();
    const { model, asked } = scriptedModel();
    const instances = [open(model), open(model), open(model)];
    for (const { vectors } of instances) vectors.changed();
    await Promise.all(instances.map(({ vectors }) => vectors.idle()));
    const mine = asked.filter((text) => text.startsWith('Passage number'));
    expect(mine.toSorted()).toEqual(texts.toSorted());
    for (const { library } of instances) await library.close();
  });

  it('FIND-15: go on where a worker died, once its claim is old', async (context) => {
    await needVectors(context);
    const owner = newName('owner');
    const { model, asked } = scriptedModel();
    let nowMs = 1_000_000;
    const first = open(model, { nowMs: () => nowMs });
    await first.library.search({ owner, query: 'opens it', limit: 1 });
    await first.vectors.idle();
    await first.library.close();
    const words = openPassageLibrary({
      database: database(),
      logger: createSilentLogger(),
      nowMs: () => nowMs,
    });
    const { record } = await words.add(documentOf(owner, ['One left.', 'Two left.']));
    await words.close();
    await database().use((db) =>
      db.execute(sql`insert into embedded_documents (document_id, model, claim, claimed_at_ms)
        values (${record.id}, ${model.name}, 'dead', ${nowMs})`),
    );
    const second = open(model, { nowMs: () => nowMs });
    second.vectors.changed();
    await second.vectors.idle();
    expect(asked).not.toContain('One left.');
    nowMs += CLAIM_LEASE_MS + 1;
    second.vectors.changed();
    await second.vectors.idle();
    expect(asked.filter((text) => /left/.test(text))).toEqual(['One left.', 'Two left.']);
    await second.library.close();
  });

  it('FIND-15: wait longer after each failure of the vendor, and lose nothing', async (context) => {
    await needVectors(context);
    const owner = newName('owner');
    const away = () => new VendorError('unreachable', 'upstream_failed', 'away');
    const { model } = scriptedModel([away(), away(), away()]);
    const pauses: number[] = [];
    let nowMs = 1_000_000;
    const clock = {
      async sleep(ms: number, signal: AbortSignal) {
        // Its own looking around is left asleep.
        if (ms === 60_000) return still.sleep(ms, signal);
        pauses.push(ms);
        nowMs += CLAIM_LEASE_MS + 1;
      },
    };
    const { library, vectors, logger } = open(model, { clock, nowMs: () => nowMs });
    const { record } = await library.add(documentOf(owner, ['One more.']));
    await vectors.idle();
    expect(pauses).toEqual([1000, 2000, 4000]);
    expect((await library.get(owner, record.id))?.embedded).toBe(1);
    expect(JSON.stringify(logger.lines)).not.toContain('One more.');
    await library.close();
  });

  it('FIND-16: a model that fails or is slow leaves the words', async (context) => {
    await needVectors(context);
    const owner = newName('owner');
    const broken: EmbeddingModel = {
      name: newName('broken'),
      embed: async () => {
        throw new VendorError('broken', 'upstream_failed', 'no');
      },
    };
    const slow: EmbeddingModel = {
      name: newName('slow'),
      embed: (_texts, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
    };
    // Time flies for a query alone.
    const hasty = {
      sleep: async (ms: number, signal: AbortSignal) =>
        ms === 2000 ? undefined : still.sleep(ms, signal),
    };
    for (const model of [broken, slow]) {
      const { library, logger } = open(model, { clock: model === slow ? hasty : still });
      const words = openPassageLibrary({ database: database(), logger, nowMs: Date.now });
      await words.add(documentOf(owner, ['The river.']));
      await words.close();
      const found = await library.search({ owner, query: 'river', limit: 1 });
      expect(found[0]).toMatchObject({ text: 'The river.', lexicalRank: 1 });
      expect(logger.lines.filter(({ level }) => level === 'warn').length).toBeGreaterThan(0);
      await library.close();
    }
  });

  it('FIND-16: a server without pgvector has words alone, and says so', async (context) => {
    if (await database().hasVectors()) context.skip('this database has pgvector');
    const owner = newName('owner');
    const { library, vectors } = open(scriptedModel().model);
    await library.add(documentOf(owner, ['The river.']));
    await vectors.idle();
    expect(await library.search({ owner, query: 'river', limit: 1 })).toHaveLength(1);
    const reason = 'the Postgres server lacks the extension pgvector';
    expect(library.look().vectors).toEqual({ state: 'off', reason });
    await library.close();
  });
});
