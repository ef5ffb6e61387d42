/** Vectors of passages, made beside the requests by the model of `EMBEDDING_MODEL`. */

import { randomUUID } from 'node:crypto';
import type { EmbeddingModel } from '@headwater/shared/providers/embedding-model';
import { type SleepClock, timerClock } from '@headwater/shared/providers/sleep';
import type { Logger } from '@headwater/shared/stream/ports';
import type { Database } from '../database/database.ts';
import { claimDocument, readBare, renewClaim } from './embedding-queue.ts';
import type { VectorIndex } from './vector-index.ts';
import {
  countVectors,
  insertVectors,
  makeVectorIndex,
  makeVectorTables,
  searchVectors,
} from './vector-table.ts';

/** What it needs. */
export interface VectorPorts {
  readonly database: Database;
  readonly model: EmbeddingModel;
  readonly logger: Logger;
  nowMs(): number;
  /** Default: the platform's timers. */
  readonly clock?: SleepClock | undefined;
  /** Vectors that are compared one by one; an index serves more. Default 10,000. */
  readonly exactUpTo?: number | undefined;
}

/** Passages of one request to the vendor. */
const BATCH = 64;

/** A search waits this long for its query's vector, in ms; then words alone must do. */
const QUERY_MS = 2000;

/** Pauses after a failure, in ms: each is twice the one before. */
const BACK_OFF_MS = { first: 1000, longest: 300_000 };

/** How often it looks for what another instance left, in ms. */
const LOOK_MS = 60_000;

/** Longest text that is embedded, in characters: the models' own bound is 8191 tokens or less. */
const MAX_CHARS = 8000;

/** Opens it. Nothing is done before the database is open for somebody else's reason. */
export function openVectors(ports: VectorPorts): VectorIndex & { idle(): Promise<void> } {
  const { database, model, logger, nowMs, clock = timerClock } = ports;
  const stop = new AbortController();
  let goesOn = false;
  let isReady: Promise<boolean> | undefined;
  let indexed: Promise<void> | undefined;
  let running: Promise<void> | undefined;
  let isAsked = false;

  /** False on a server without pgvector. Errors: of the database. */
  function ready(): Promise<boolean> {
    isReady ??= (async () => {
      if (!(await database.hasVectors())) return false;
      goesOn = await database.transaction(makeVectorTables);
      return true;
    })().catch((thrown: unknown) => {
      isReady = undefined;
      throw thrown;
    });
    return isReady;
  }

  /** True where there was something to do. */
  async function embedNext(): Promise<boolean> {
    const claim = randomUUID();
    const document = await database.transaction((db) =>
      claimDocument(db, model.name, claim, nowMs()),
    );
    if (document === undefined) return false;
    const { id, collection: collectionId } = document;
    for (;;) {
      const bare = await database.use((db) => readBare(db, id, model.name, BATCH));
      const isDone = bare.length === 0;
      if (!isDone) {
        const texts = bare.map(({ text }) => text.slice(0, MAX_CHARS).toWellFormed());
        stop.signal.throwIfAborted();
        const vectors = await model.embed(texts, stop.signal);
        indexed ??= database.transaction((db) =>
          makeVectorIndex(db, model.name, vectors[0]?.length ?? 0),
        );
        await indexed.catch((thrown: unknown) => {
          indexed = undefined;
          throw thrown;
        });
        const place = { documentId: id, collectionId, model: model.name };
        const ordinals = bare.map(({ ordinal }) => ordinal);
        await database.use((db) => insertVectors(db, place, ordinals, vectors));
      }
      const isOurs = await database.use((db) =>
        renewClaim(db, id, model.name, claim, { nowMs: nowMs(), isDone }),
      );
      if (isDone || !isOurs || stop.signal.aborted) return true;
    }
  }

  async function work(): Promise<void> {
    let pauseMs: number = BACK_OFF_MS.first;
    while (isAsked && !stop.signal.aborted) {
      try {
        isAsked = false;
        if ((await ready()) && (await embedNext())) isAsked = true;
        pauseMs = BACK_OFF_MS.first;
      } catch (err) {
        if (stop.signal.aborted) break;
        isAsked = true;
        logger.warn({ model: model.name, pauseMs, err }, 'passages were not embedded');
        await clock.sleep(pauseMs, stop.signal);
        pauseMs = Math.min(pauseMs * 2, BACK_OFF_MS.longest);
      }
    }
    running = undefined;
  }

  function changed(): void {
    if (stop.signal.aborted) return;
    isAsked = true;
    running ??= work();
  }

  async function lookNowAndThen(): Promise<void> {
    while (!stop.signal.aborted) {
      // A closed database is left closed: whoever opens it has more to do than this.
      if (database.look().state === 'open') changed();
      await clock.sleep(LOOK_MS, stop.signal);
    }
  }
  const looking = lookNowAndThen();

  return {
    changed,
    async idle() {
      await running;
    },
    async embedQuery(query) {
      const text = query.slice(0, MAX_CHARS).toWellFormed();
      if (text.trim() === '') return undefined;
      const over = new AbortController();
      const signal = AbortSignal.any([over.signal, stop.signal]);
      const asked = (async () => {
        if (!(await ready())) return undefined;
        return (await model.embed([text], signal))[0];
      })();
      const late = clock.sleep(QUERY_MS, signal).then(() => {
        throw new Error('the embedding model did not answer in time');
      });
      late.catch(() => undefined);
      try {
        return await Promise.race([asked, late]);
      } catch (err) {
        // Words find most of it.
        logger.warn({ model: model.name, err }, 'a query was not embedded');
        asked.catch(() => undefined);
        return undefined;
      } finally {
        over.abort();
      }
    },
    search: (db, query) =>
      searchVectors(db, model.name, { goesOn, exactUpTo: ports.exactUpTo }, query),
    countOf: async (db, ids) => {
      // Asked within a connection: what opens the tables would wait for it.
      if (ids.length === 0 || isReady === undefined || !(await isReady)) return new Map();
      return countVectors(db, model.name, ids);
    },
    look() {
      const { hasVectors } = database.look();
      if (hasVectors === undefined) return { state: 'unknown', model: model.name };
      if (hasVectors) return { state: 'on', model: model.name };
      return { state: 'off', reason: 'the Postgres server lacks the extension pgvector' };
    },
    async close() {
      stop.abort();
      await Promise.all([looking, running]);
    },
  };
}
