/** `/ai/rag` and `/ai/rag/documents` in the OpenAPI document. */

import {
  type DocumentView,
  documentFieldsSchema,
  documentSourceSchema,
  type RagCitation,
  type RagSource,
  ragSchema,
} from './ai-rag.ts';
import { ANSWER_PROPERTIES, asking, requestSchema } from './openapi-ai.ts';
import { json, ok, ref } from './openapi-parts.ts';
import {
  count,
  deletion,
  described,
  errors,
  id,
  listOf,
  location,
  next_after,
  objectOf,
  page,
  pageErrors,
  security,
  text,
  textOrNull,
  time,
} from './openapi-types.ts';

const place = {
  marker: described('By which the answer cites it, such as `[2]`.', text),
  document_id: text,
  passage_id: text,
  title: text,
  heading: described('The headings above it, outermost first, joined by ` › `.', text),
  page: described('Where it begins, of documents with pages.', {
    type: ['integer', 'null'],
    minimum: 1,
  }),
  start: described('In the document’s text, in UTF-16 code units.', count),
  end: described('Exclusive.', count),
};

const source = {
  ...place,
  text,
  score: described('Only its order means something.', { type: 'number' }),
} satisfies Record<keyof RagSource, object>;

const citation = {
  ...place,
  quote: described('The document’s text from `start` to `end`.', text),
} satisfies Record<keyof RagCitation, object>;

const metadata = described('Any JSON object of at most 16,384 characters.', {
  type: 'object',
  additionalProperties: true,
});

const view = {
  document_id: text,
  title: text,
  media_type: text,
  bytes: described('Of the file as it came.', count),
  chars: described('Of its text, in UTF-16 code units.', count),
  passages: count,
  embedded: described('Passages that are found by meaning, too.', count),
  collection: text,
  source_url: textOrNull,
  metadata,
  created_at: time,
  status: { type: 'string', enum: ['ready'] },
} satisfies Record<keyof DocumentView, object>;

/** What the fields say beyond what all text services share. */
const FIELD_WORDS: Readonly<Record<string, string>> = {
  query: 'This or `question`.',
  question: 'This or `query`.',
  document_ids: 'These documents alone are searched.',
  top_k: 'Most passages that the model reads.',
  system: 'Instructions beside the rules, which stand before them.',
  messages: 'What was said before.',
  language: 'Code or English name of the language to answer in. Default: that of the question.',
  collection: 'Documents of one collection are searched together. Default `default`.',
  title: 'Default: what the document calls itself.',
  media_type:
    '`text/plain`, `text/markdown`, `text/html` or `application/pdf`. Default: what the file looks like.',
  source_url: 'Where it was found. Default: `url`, without its query.',
  text: 'The text itself.',
  content: 'The file as base64 or a `data:` URL.',
  url: 'Fetched by the gateway: https, and a public host or one of INPUT_ALLOWED_HOSTS.',
};

const fields: Record<string, object> = {
  ...requestSchema(documentFieldsSchema, FIELD_WORDS).properties,
  metadata,
};
const sources = requestSchema(documentSourceSchema, FIELD_WORDS).properties;
const options = Object.fromEntries(
  Object.entries(ANSWER_PROPERTIES).map(([name, schema]) =>
    name === 'model' || name === 'provider'
      ? [name, described('Null where nothing was found: then no model is asked.', textOrNull)]
      : [name, schema],
  ),
);

/** Schemas by name, for `components`. */
export const RAG_SCHEMAS: Readonly<Record<string, object>> = {
  RagRequest: requestSchema(ragSchema, FIELD_WORDS),
  RagAnswer: objectOf(
    {
      answer: described('With the markers of the passages that it cites.', text),
      found: described('False where the documents do not answer, or none is cited.', {
        type: 'boolean',
      }),
      citations: described(
        'In the order in which they are first cited.',
        listOf(objectOf(citation)),
      ),
      sources: described('What the model was given, in order.', listOf(objectOf(source))),
      ...options,
      processing_time: described('In seconds.', { type: 'number', minimum: 0 }),
    },
    ['simulated'],
  ),
  RagDocumentRequest: described('One of `text`, `content` and `url`.', {
    type: 'object',
    properties: { ...sources, ...fields },
    additionalProperties: false,
  }),
  RagDocumentForm: {
    type: 'object',
    properties: {
      file: { type: 'string', format: 'binary' },
      ...fields,
      metadata: described('JSON.', text),
    },
    additionalProperties: false,
  },
  RagDocument: objectOf(view),
  RagDocumentAdded: objectOf({
    ...view,
    duplicate: described('The same file was in this collection already.', { type: 'boolean' }),
  }),
  RagDocumentWithText: objectOf({ ...view, text: described('With `include=text`.', text) }, [
    'text',
  ]),
  RagDocumentList: objectOf({
    documents: described('Newest first.', listOf(ref('RagDocument'))),
    next_after,
  }),
};

const query = (name: string, schema: object) => ({ name, in: 'query', schema });

const ADD_ERRORS = [
  ...(['validation_failed', 'unauthorized', 'forbidden', 'payload_too_large'] as const),
  ...(['unsupported_media_type', 'processing_failed', 'upstream_failed'] as const),
  ...(['unavailable', 'upstream_timeout'] as const),
];

/** Paths, for the document. */
export const RAG_PATHS: Readonly<Record<string, object>> = {
  '/ai/rag': {
    post: asking('Ask your documents; the answer cites them, or says that they do not answer', {
      description:
        'By `stream` the first event is a `note` named `sources` with the passages in `data.sources`; the text cites them by their markers.',
      request: 'RagRequest',
      answer: 'RagAnswer',
    }),
  },
  '/ai/rag/documents': {
    post: {
      summary: 'Keep a document: text, Markdown, HTML or PDF',
      security,
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: ref('RagDocumentRequest') },
          'multipart/form-data': { schema: ref('RagDocumentForm') },
        },
      },
      responses: {
        201: {
          description: 'Kept; it can be found',
          headers: location,
          ...json(ref('RagDocumentAdded')),
        },
        200: {
          description: 'Was there already',
          headers: location,
          ...json(ref('RagDocumentAdded')),
        },
        ...errors(...ADD_ERRORS),
      },
    },
    get: {
      summary: 'Your documents',
      security,
      parameters: [query('collection', text), ...page],
      responses: {
        ...ok('A page of them', ref('RagDocumentList')),
        ...pageErrors,
      },
    },
  },
  '/ai/rag/documents/{id}': {
    get: {
      summary: 'A document',
      security,
      parameters: [id, query('include', { type: 'string', enum: ['text'] })],
      responses: {
        ...ok('The document', ref('RagDocumentWithText')),
        ...errors('validation_failed', 'unauthorized', 'not_found', 'unavailable'),
      },
    },
    delete: deletion('Forget a document', 'Forgotten'),
  },
};
