/** `/ai/rag/documents`: the caller's documents. */

import type { Authoriser } from '@headwater/shared/gateway/authorise';
import {
  type DocumentView,
  documentListSchema,
  documentLookSchema,
} from '@headwater/shared/protocol/ai-rag';
import type { CorsPolicy } from '@headwater/shared/protocol/cors';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { readRequest } from '@headwater/shared/protocol/tasks';
import type { FastifyInstance } from 'fastify';
import type { DocumentIntake } from '../documents/document-intake.ts';
import type { DocumentRecord, PassageLibrary } from '../retrieval/passage-library.ts';
import { callerOf, inboundOf, leavingOf, requireOwnPage, type TaskParams } from './task-request.ts';

const PATH = '/ai/rag/documents';

/** What the routes are wired to. */
export interface DocumentRoutePorts {
  readonly authorise: Authoriser;
  readonly settings: CorsPolicy;
  readonly intake: DocumentIntake;
  readonly library: Pick<PassageLibrary, 'list' | 'get' | 'textOf' | 'remove'>;
}

/** Adds the routes. Bodies of documents are streams, which the intake bounds by itself. */
export async function addDocumentRoutes(
  app: FastifyInstance,
  { authorise, settings, intake, library }: DocumentRoutePorts,
): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    scope.post(PATH, async (request, reply) => {
      requireOwnPage(request, settings);
      const owner = await callerOf(authorise, request);
      const { record, isNew } = await intake.take(owner, inboundOf(request), leavingOf(reply));
      const { id: documentId, mediaType, passages } = record;
      request.log.info({ documentId, mediaType, passages, isNew }, 'document kept');
      reply.header('location', `${PATH}/${documentId}`);
      return reply.code(isNew ? 201 : 200).send({ ...viewOf(record), duplicate: !isNew });
    });
  });

  app.get(PATH, async (request, reply) => {
    const owner = await callerOf(authorise, request);
    const { collection, limit, after } = readRequest(documentListSchema, request.query);
    // One more tells whether there is another page.
    const found = await library.list(owner, { collection, after, limit: limit + 1 });
    const documents = found.slice(0, limit);
    const next_after = found.length > limit ? (documents.at(-1)?.id ?? null) : null;
    reply.header('cache-control', 'no-store');
    return { documents: documents.map(viewOf), next_after };
  });

  app.get<TaskParams>(`${PATH}/:id`, async (request, reply) => {
    const owner = await callerOf(authorise, request);
    const { include } = readRequest(documentLookSchema, request.query);
    const { id } = request.params;
    const record = await library.get(owner, id);
    if (record === undefined) throw unknown();
    const text = include === 'text' ? await library.textOf(owner, id) : undefined;
    reply.header('cache-control', 'no-store');
    return { ...viewOf(record), ...(text === undefined ? {} : { text }) };
  });

  app.delete<TaskParams>(`${PATH}/:id`, async (request, reply) => {
    const owner = await callerOf(authorise, request);
    if (await library.remove(owner, request.params.id)) return reply.code(204).send();
    throw unknown();
  });
}

/** The same for a document that is another caller's. */
function unknown(): GatewayError {
  return new GatewayError('not_found', 'There is no such document.');
}

function viewOf(record: DocumentRecord): DocumentView {
  const { bytes, chars, passages, embedded, collection, metadata } = record;
  return {
    document_id: record.id,
    title: record.title,
    media_type: record.mediaType,
    bytes,
    chars,
    passages,
    embedded,
    collection,
    source_url: record.sourceUrl,
    metadata,
    created_at: new Date(record.createdAtMs).toISOString(),
    status: 'ready',
  };
}
