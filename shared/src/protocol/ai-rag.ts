/** `/ai/rag` and `/ai/rag/documents`: questions to documents, and the documents. */

import * as z from 'zod';
import { answerOptions } from './answer-options.ts';

/** Passages that a model reads where the caller does not say, and at most. */
export const DEFAULT_TOP_K = 6;
export const MAX_TOP_K = 20;

/** Collection of documents and questions that name none. */
export const DEFAULT_COLLECTION = 'default';

/** Documents of a page of the list where the caller does not say, and at most. */
const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

const MAX_QUESTION_CHARS = 8_000;
const MAX_METADATA_CHARS = 16_384;

/** Name of a collection. */
export const collectionName = z
  .string()
  .regex(
    /^[A-Za-z0-9._-]{1,64}$/,
    'is not 1 to 64 of the characters A–Z, a–z, 0–9, ".", "_" and "-".',
  );

/** Id of a document. */
const documentId = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, 'is no id of a document.');

const turn = z.object({
  role: z.enum(['user', 'assistant']),
  content: z.string().min(1).max(100_000),
});

/** Fields of `POST /ai/rag`. `question` is another word for `query`. */
const ragFields = {
  query: z.string().trim().min(1).max(MAX_QUESTION_CHARS).optional(),
  question: z.string().trim().min(1).max(MAX_QUESTION_CHARS).optional(),
  collection: collectionName.optional(),
  /** Only these documents are searched. */
  document_ids: z.array(documentId).min(1).max(100).optional(),
  /** Most passages that the model reads. */
  top_k: z.int().min(1).max(MAX_TOP_K).default(DEFAULT_TOP_K),
  /** Instructions beside the rules, which stand before them. */
  system: z.string().min(1).max(20_000).optional(),
  /** What was said before. */
  messages: z.array(turn).max(100).optional(),
  /** Code or English name of the language to answer in. Default: that of the question. */
  language: z
    .string()
    .regex(/^[\p{L}\p{M} ()_-]{2,40}$/u, 'is no code or name of a language.')
    .optional(),
};

/** Body of `POST /ai/rag`. */
export const ragSchema = z
  .object({ ...ragFields, ...answerOptions })
  .refine((body) => (body.query === undefined) !== (body.question === undefined), {
    path: ['query'],
    message: 'Give either `query` or `question`.',
  });

/** A valid question. */
export type RagRequest = z.output<typeof ragSchema>;

const webAddress = z
  .string()
  .max(2048)
  .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
    message: 'is no http or https URL.',
  });

const metadata = z
  .record(z.string().min(1).max(200), z.json())
  .refine((value) => JSON.stringify(value).length <= MAX_METADATA_CHARS, {
    message: `is longer than ${MAX_METADATA_CHARS} characters of JSON.`,
  });

/** Fields of `POST /ai/rag/documents` that say something of the file. */
export const documentFieldsSchema = z.strictObject({
  title: z.string().trim().min(1).max(300).optional(),
  /** `text/plain`, `text/markdown`, `text/html` or `application/pdf`. Default: what the file looks like. */
  media_type: z.string().min(1).max(200).optional(),
  collection: collectionName.default(DEFAULT_COLLECTION),
  metadata: metadata.default({}),
  /** Where it was found; told with the citations. */
  source_url: webAddress.optional(),
});

/** What a request says of its file. */
export type DocumentFields = z.output<typeof documentFieldsSchema>;

/** The file itself, as JSON has it: one of the three. */
export const documentSourceSchema = z.object({
  /** The text itself. */
  text: z.string().optional(),
  /** Base64, or a `data:` URL. */
  content: z.string().optional(),
  /** Fetched by the gateway, under the rules of `INPUT_ALLOWED_HOSTS`. */
  url: z.string().optional(),
});

/** Query of `GET /ai/rag/documents`. */
export const documentListSchema = z.object({
  collection: collectionName.optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
  /** `next_after` of the page before. */
  after: documentId.optional(),
});

/** Query of `GET /ai/rag/documents/{id}`. */
export const documentLookSchema = z.object({ include: z.enum(['text']).optional() });

/** A document, as the wire shows it. */
export interface DocumentView {
  readonly document_id: string;
  readonly title: string;
  readonly media_type: string;
  readonly bytes: number;
  readonly chars: number;
  readonly passages: number;
  /** Passages that are found by meaning, too. */
  readonly embedded: number;
  readonly collection: string;
  readonly source_url: string | null;
  readonly metadata: { readonly [name: string]: unknown };
  readonly created_at: string;
  readonly status: 'ready';
}

/** A passage that the model was given. */
export interface RagSource {
  /** By which the answer cites it, such as `[2]`. */
  readonly marker: string;
  readonly document_id: string;
  readonly passage_id: string;
  readonly title: string;
  readonly heading: string;
  readonly page: number | null;
  /** Offsets in the document's text, in UTF-16 code units, end exclusive. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly score: number;
}

/** A place that the answer cites: `quote` is the document's text from `start` to `end`. */
export type RagCitation = Omit<RagSource, 'text' | 'score'> & { readonly quote: string };
