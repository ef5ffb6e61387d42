/** Documents by their owners, cut into passages that can be found. */

import type { Json } from '@headwater/shared/tasks/task';
import type { DocumentText, PassageSpan } from '@headwater/shared/text/retrieval/document-text';

/** A document to be kept. */
export interface NewDocument {
  readonly owner: string;
  /** Documents of one collection are searched together. */
  readonly collection: string;
  readonly title: string;
  /** By its own first bytes, such as `application/pdf`. */
  readonly mediaType: string;
  /** Of the file as it came. */
  readonly bytes: number;
  /** Of the file as it came, in hex: the same file in the same collection is kept once. */
  readonly sha256: string;
  readonly sourceUrl?: string;
  readonly metadata: { readonly [name: string]: Json };
  readonly content: DocumentText;
  readonly passages: readonly PassageSpan[];
}

/** A document as it is kept, without its text. */
export interface DocumentRecord {
  /** `doc_…`. */
  readonly id: string;
  readonly owner: string;
  readonly collection: string;
  readonly title: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly sourceUrl: string | null;
  readonly metadata: { readonly [name: string]: Json };
  /** In UTF-16 code units. */
  readonly chars: number;
  readonly passages: number;
  /** Passages whose vector is kept, for the model in use; 0 where none is. */
  readonly embedded: number;
  readonly createdAtMs: number;
}

/** A passage that was found. */
export interface FoundPassage {
  readonly passageId: string;
  readonly documentId: string;
  readonly title: string;
  readonly heading: string;
  readonly page: number | null;
  /** Offsets in the document's text, in UTF-16 code units, end exclusive. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Fused score; only its order means something. */
  readonly score: number;
  /** 1-based place in each list that it was found in. */
  readonly lexicalRank?: number;
  readonly vectorRank?: number;
}

/** Where to look. */
export interface PassageSearch {
  readonly owner: string;
  readonly query: string;
  /** Most passages. */
  readonly limit: number;
  /** Default `default`. */
  readonly collection?: string | undefined;
  /** These documents alone. */
  readonly documentIds?: readonly string[] | undefined;
}

/** What a search uses beside words. */
export type VectorState =
  /** `reason` says what is missing, for whoever runs the gateway. */
  | { readonly state: 'off'; readonly reason: string }
  /** Until the database was first used, it is not known whether it has vectors. */
  | { readonly state: 'unknown' | 'on'; readonly model: string };

/** Keeps documents and finds passages; each owner sees its own. Errors: `unavailable` of the database. */
export interface PassageLibrary {
  /** Keeps all of it, or nothing. `isNew` is false where the same file was there: then nothing changed. */
  add(document: NewDocument): Promise<{ readonly record: DocumentRecord; readonly isNew: boolean }>;
  /** Newest first, after the document `after`. */
  list(
    owner: string,
    page: {
      readonly collection?: string | undefined;
      readonly limit: number;
      readonly after?: string | undefined;
    },
  ): Promise<readonly DocumentRecord[]>;
  get(owner: string, id: string): Promise<DocumentRecord | undefined>;
  /** The text that offsets count in. */
  textOf(owner: string, id: string): Promise<string | undefined>;
  /** False where there is no such document. */
  remove(owner: string, id: string): Promise<boolean>;
  /** Best first. Lexical search always; vectors fused in by reciprocal rank where a model is live. */
  search(search: PassageSearch): Promise<readonly FoundPassage[]>;
  /** What can be said without asking anybody. */
  look(): { readonly vectors: VectorState };
  /** Stops what goes on beside the requests. */
  close(): Promise<void>;
}
