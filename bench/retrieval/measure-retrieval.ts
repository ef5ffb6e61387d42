/** Runs the part of the scorecard that is about search in documents. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import MiniSearch from 'minisearch';
import { createPooledDatabase } from '../../origin/src/database/pooled-database.ts';
import { openPassageLibrary } from '../../origin/src/retrieval/open-library.ts';
import type { PassageLibrary } from '../../origin/src/retrieval/passage-library.ts';
import { createSilentLogger } from '../../shared/src/testing/silent-logger.ts';
import { quantile } from '../report/statistics.ts';
import type { Row } from '../rows.ts';
import { makePassages } from './make-passages.ts';
import { MISSING_QUESTIONS, type QuestionData, readQuestions } from './read-questions.ts';
import type { RetrievalRound, RetrievalServer } from './retrieval-round.ts';

/** How much is measured. */
export interface RetrievalPlan {
  /** Passages of the large collection; 0 leaves it out. */
  readonly passages: number;
  /** Searches in it, after as many that do not count. */
  readonly searches: number;
}

/** What was measured, or why nothing was. */
export interface RetrievalMeasurements {
  readonly retrieval: readonly RetrievalRound[];
  readonly missing?: string;
}

interface RetrievalOptions {
  readonly root: string;
  /** Temporary. */
  readonly directory: string;
  readonly plan: RetrievalPlan;
  readonly stop: AbortSignal;
  progress(line: string): void;
}

/** Passages that a search gives. */
const LIMIT = 20;

/** Passages of one document of the large collection. */
const PER_DOCUMENT = 100;

const OWNER = 'bench';

/** Measures quality beside MiniSearch on the same passages, and speed on many. */
export async function measureRetrieval(
  options: RetrievalOptions,
  rows: readonly Row[],
): Promise<RetrievalMeasurements> {
  if (!rows.includes('retrieval')) return { retrieval: [] };
  const data = readQuestions(options.root);
  if (data === undefined) return { retrieval: [], missing: MISSING_QUESTIONS };
  const { directory, plan, progress, stop } = options;
  const logger = createSilentLogger();
  const dataDir = join(directory, 'retrieval');
  const database = createPooledDatabase({ kind: 'embedded', dataDir }, logger);
  const library = openPassageLibrary({ database, logger, nowMs: Date.now });
  const retrieval: RetrievalRound[] = [];
  try {
    progress('search: quality');
    retrieval.push(...(await measureQuality('MiniSearch', data, createMiniSearch(data))));
    for (const [at, passage] of data.passages.entries()) {
      await addPassages(library, 'questions', String(at), [passage]);
    }
    const ask = async (query: string) => {
      const found = await library.search({
        owner: OWNER,
        collection: 'questions',
        query,
        limit: LIMIT,
      });
      return found.map(({ title }) => Number(title));
    };
    retrieval.push(...(await measureQuality('library', data, ask)));
    if (plan.passages > 0) retrieval.push(...(await measureSpeed(library, data, options)));
    stop.throwIfAborted();
  } finally {
    await library.close();
    await database.close();
  }
  return { retrieval };
}

/** Its own defaults: BM25+, lower case, no stems. */
function createMiniSearch({ passages }: QuestionData) {
  const search = new MiniSearch({ fields: ['text'] });
  search.addAll(passages.map((text, id) => ({ id, text })));
  return async (query: string) =>
    search
      .search(query)
      .slice(0, LIMIT)
      .map(({ id }) => id as number);
}

async function measureQuality(
  server: RetrievalServer,
  { questions }: QuestionData,
  ask: (query: string) => Promise<readonly number[]>,
): Promise<RetrievalRound[]> {
  const ranks: number[] = [];
  for (const { text, passage } of questions) {
    const at = (await ask(text)).indexOf(passage);
    ranks.push(at < 0 ? Number.POSITIVE_INFINITY : at + 1);
  }
  const share = (of: (rank: number) => number) =>
    (100 * ranks.reduce((sum, rank) => sum + of(rank), 0)) / ranks.length;
  return [
    { figure: 'first', server, value: share((rank) => Number(rank === 1)) },
    { figure: 'five', server, value: share((rank) => Number(rank <= 5)) },
    { figure: 'rank', server, value: share((rank) => 1 / rank) },
  ];
}

async function measureSpeed(
  library: PassageLibrary & { idle(): Promise<void> },
  { passages, questions }: QuestionData,
  { plan, stop, progress }: RetrievalOptions,
): Promise<RetrievalRound[]> {
  progress(`search: indexing ${plan.passages} passages`);
  const startedAtMs = performance.now();
  let part: string[] = [];
  let documents = 0;
  for (const passage of makePassages(passages, plan.passages)) {
    part.push(passage);
    if (part.length < PER_DOCUMENT) continue;
    stop.throwIfAborted();
    await addPassages(library, 'many', String(documents), part);
    documents += 1;
    part = [];
  }
  await library.idle();
  const indexedMs = performance.now() - startedAtMs;
  progress('search: asking');
  const took: number[] = [];
  for (let n = 0; n < plan.searches * 2; n += 1) {
    stop.throwIfAborted();
    // Spread over the data, and none twice.
    const query = questions[(n * 7) % questions.length]?.text ?? '';
    const askedAtMs = performance.now();
    await library.search({ owner: OWNER, collection: 'many', query, limit: 10 });
    took.push(performance.now() - askedAtMs);
  }
  const counted = took.slice(plan.searches);
  const server = 'library';
  return [
    { figure: 'index', server, value: indexedMs / plan.passages },
    { figure: 'searchMedian', server, value: quantile(counted, 0.5) },
    { figure: 'searchP95', server, value: quantile(counted, 0.95) },
  ];
}

async function addPassages(
  library: PassageLibrary,
  collection: string,
  title: string,
  texts: readonly string[],
): Promise<void> {
  const text = texts.join('\n\n');
  let at = 0;
  await library.add({
    owner: OWNER,
    collection,
    title,
    mediaType: 'text/plain',
    bytes: text.length,
    sha256: createHash('sha256').update(`${title} ${text}`).digest('hex'),
    metadata: {},
    content: { text, blocks: [] },
    passages: texts.map((own) => {
      const start = at;
      at += own.length + 2;
      return { start, end: start + own.length, heading: '' };
    }),
  });
}
