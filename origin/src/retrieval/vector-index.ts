/** Passages by what they mean. */

import type { Db } from '../database/database.ts';
import type { PassageKey } from './lexical-search.ts';
import type { VectorState } from './passage-library.ts';

/** Where, and near to what. */
export interface VectorQuery {
  readonly collectionId: number;
  readonly vector: readonly number[];
  readonly limit: number;
  readonly documentIds?: readonly string[] | undefined;
}

/** Vectors of passages by one model. */
export interface VectorIndex {
  /** There may be passages without a vector. Never waits and never throws. */
  changed(): void;
  /** Undefined where there are no vectors, or the model did not answer in time. Never rejects. */
  embedQuery(query: string): Promise<readonly number[] | undefined>;
  /** Nearest first. */
  search(db: Db, query: VectorQuery): Promise<readonly PassageKey[]>;
  /** How many passages of these documents have one. */
  countOf(db: Db, documentIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  look(): VectorState;
  close(): Promise<void>;
}

/** None, for a reason. */
export function noVectors(reason: string): VectorIndex {
  return {
    changed: () => undefined,
    embedQuery: async () => undefined,
    search: async () => [],
    countOf: async () => new Map(),
    look: () => ({ state: 'off', reason }),
    close: async () => undefined,
  };
}
