/** Brings a document in: from the request to disk, through a reader, into the library. */

import type { Readable } from 'node:stream';
import { type DocumentFields, documentFieldsSchema } from '@headwater/shared/protocol/ai-rag';
import type { FieldFault } from '@headwater/shared/protocol/errors';
import { faultsOf, requestFaults } from '@headwater/shared/protocol/tasks';
import type { Logger } from '@headwater/shared/stream/ports';
import { bodyKindOf, letGo } from '../inputs/body.ts';
import { createByteBudget } from '../inputs/byte-budget.ts';
import type { InboundBody } from '../inputs/draft.ts';
import { inlineTexts } from '../inputs/inline-texts.ts';
import type { OpenInput } from '../inputs/opened-input.ts';
import { scanJson } from '../inputs/scan-json.ts';
import type { Spool } from '../inputs/spool.ts';
import { createWorkspace, type Workspace } from '../inputs/workspace.ts';
import type { DocumentRecord, PassageLibrary } from '../retrieval/passage-library.ts';
import type { DocumentReader } from './document-reader.ts';
import { type BroughtFile, bringFile } from './document-source.ts';
import { readDocumentForm } from './read-document-form.ts';
import type { ReadDocument } from './reader-messages.ts';
import { oneLine } from './text-builder.ts';

const MIB = 1024 * 1024;

/** Most bytes of what is not the file. */
const FIELD_BYTES = MIB;

/** Time for a document that is given by reference, in ms. */
const REFERENCE_MS = 60_000;

/** What it is wired to. */
export interface DocumentIntakePorts {
  readonly library: Pick<PassageLibrary, 'add'>;
  readonly reader: Pick<DocumentReader, 'read' | 'checkRoom'>;
  readonly spool: Spool;
  readonly fetchInput: OpenInput;
  readonly maxBytes: number;
  readonly logger: Logger;
}

/** Takes documents in. */
export interface DocumentIntake {
  /**
   * Keeps the document of a request; it can be found when this resolves. Whatever comes of it, no
   * file is left. Errors: `validation_failed` with every faulty field; `payload_too_large`, before
   * anything is read where the length is announced; those of the reader and of the fetch.
   */
  take(
    owner: string,
    inbound: InboundBody,
    signal: AbortSignal,
  ): Promise<{ readonly record: DocumentRecord; readonly isNew: boolean }>;
}

/** Makes the intake. */
export function createDocumentIntake(ports: DocumentIntakePorts): DocumentIntake {
  const { library, reader, spool, maxBytes, logger } = ports;

  /** Base64 is four thirds of what it stands for, and a text may have escapes. */
  const jsonBytes = 2 * maxBytes + FIELD_BYTES;

  async function readBody(
    { contentType, contentLength = 0, body }: InboundBody,
    workspace: Workspace,
  ): Promise<{ values: ReadonlyMap<string, unknown>; file?: BroughtFile }> {
    if (bodyKindOf(contentType) === 'form') {
      createByteBudget(maxBytes + 2 * FIELD_BYTES, 'A document').take(contentLength);
      return readDocumentForm(contentType ?? '', body, { spool, workspace, maxBytes });
    }
    createByteBudget(jsonBytes, 'A JSON body').take(contentLength);
    const value = await scanJson((body as Readable).iterator({ destroyOnReturn: false }), {
      spool,
      shortBudget: createByteBudget(FIELD_BYTES, 'The fields beside the document'),
      wholeBudget: createByteBudget(jsonBytes, 'A JSON body'),
      wrote: workspace.spooled,
    });
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw requestFaults([{ path: '', message: 'is no JSON object.' }]);
    }
    return { values: new Map(Object.entries(value)) };
  }

  async function take(
    owner: string,
    inbound: InboundBody,
    workspace: Workspace,
    signal: AbortSignal,
  ) {
    reader.checkRoom();
    const { values, file: sent } = await readBody(inbound, workspace);
    const fields = await checkFields(values, sent !== undefined);
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(REFERENCE_MS)]);
    const file = sent ?? (await bringFile(values, { ...ports, workspace, signal: deadline }));
    const { mediaType, passages, ...read } = await reader.read(
      {
        path: file.path,
        // What the caller says outright goes before what a name's ending hints at.
        fileName: fields.media_type === undefined ? file.fileName : undefined,
        mediaType: withCharset(fields.media_type ?? file.mediaType, file.charset),
      },
      signal,
    );
    const sourceUrl = fields.source_url ?? file.sourceUrl;
    return library.add({
      owner,
      collection: fields.collection,
      title: fields.title ?? titleOf(read, file.fileName),
      mediaType,
      bytes: file.bytes,
      sha256: file.sha256,
      ...(sourceUrl === undefined ? {} : { sourceUrl }),
      metadata: fields.metadata,
      content: { text: read.text, blocks: [] },
      passages,
    });
  }

  return {
    async take(owner, inbound, signal) {
      const workspace = createWorkspace(spool, { drop: async () => undefined }, logger);
      try {
        return await take(owner, inbound, workspace, signal);
      } catch (thrown) {
        letGo(inbound.body);
        throw thrown;
      } finally {
        await workspace.clear();
      }
    },
  };
}

const SOURCES: readonly string[] = ['text', 'content', 'url'];

/** Everything but the file; and that there is one, and only one. */
async function checkFields(
  values: ReadonlyMap<string, unknown>,
  hasFile: boolean,
): Promise<DocumentFields> {
  const faults: FieldFault[] = [];
  const given = SOURCES.filter((name) => values.has(name));
  if (given.length + (hasFile ? 1 : 0) !== 1) {
    faults.push({ path: 'content', message: 'Give one of: text, content, url, or a form’s file.' });
  }
  const budget = createByteBudget(FIELD_BYTES, 'The fields beside the document');
  const own = [...values].filter(([name]) => !SOURCES.includes(name));
  const plain = await inlineTexts(Object.fromEntries(own), budget);
  const fields = documentFieldsSchema.safeParse(plain);
  if (fields.success && faults.length === 0) return fields.data;
  throw requestFaults([...faults, ...(fields.success ? [] : faultsOf(fields.error))]);
}

function withCharset(mediaType: string | undefined, charset: string | undefined) {
  return charset === undefined
    ? mediaType
    : `${mediaType?.split(';')[0] ?? ''}; charset=${charset}`;
}

/** What it calls itself; else its first heading; else its file's name; else its first words. */
function titleOf(
  { text, title, heading }: Omit<ReadDocument, 'passages'>,
  fileName: string | undefined,
): string {
  const candidates = [
    title,
    heading,
    fileName,
    /^.{1,80}(?=\s|$)/.exec(text.slice(0, 200).replace(/\s+/g, ' '))?.[0],
  ];
  for (const candidate of candidates) {
    const line = oneLine(candidate ?? '')
      .slice(0, 300)
      .trim()
      .toWellFormed();
    if (line !== '') return line;
  }
  return 'Untitled';
}
