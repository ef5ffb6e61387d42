/** A document that comes as a form: its file, and what is said of it. */

import type { Readable } from 'node:stream';
import { requestFaults } from '@headwater/shared/protocol/tasks';
import * as z from 'zod';
import type { EngineManifest } from '../engines/engine-manifest.ts';
import { createByteBudget } from '../inputs/byte-budget.ts';
import { readForm } from '../inputs/read-form.ts';
import type { Spool } from '../inputs/spool.ts';
import type { Workspace } from '../inputs/workspace.ts';
import type { DeclaredFile } from './document-format.ts';
import type { BroughtFile } from './document-source.ts';

/** Most bytes of all that is not the file. */
const TEXT_BYTES = 1024 * 1024;

/** The form's own view of a document: one file, and any fields. */
const FORM: EngineManifest = {
  type: 'document',
  files: [{ field: 'file', kind: 'document', min: 0, max: 1 }],
  params: z.record(z.string(), z.json()),
  availability: () => ({ live: true }),
};

/** What it is wired to. */
export interface DocumentFormPorts {
  readonly spool: Spool;
  readonly workspace: Workspace;
  readonly maxBytes: number;
}

/** Reads the form. Errors: `validation_failed`, `payload_too_large`, those of the spool. */
export async function readDocumentForm(
  contentType: string,
  body: Readable,
  { spool, workspace, maxBytes }: DocumentFormPorts,
): Promise<{ readonly values: ReadonlyMap<string, unknown>; readonly file?: BroughtFile }> {
  const declared = new Map<string, DeclaredFile>();
  const { values, parts } = await readForm(FORM, contentType, body, {
    spool,
    workspace,
    maxBytes,
    files: createByteBudget(maxBytes, 'file'),
    texts: createByteBudget(TEXT_BYTES, 'The fields beside the document'),
    declared: (path, said) => void declared.set(path, said),
  });
  const sent = parts?.get('file') ?? [];
  const [source] = sent;
  if (sent.length > 1 || values.has('file')) {
    throw requestFaults([{ path: 'file', message: 'takes one file.' }]);
  }
  const fields = new Map([...values].map(([name, value]) => [name, fieldValue(name, value)]));
  if (source?.type !== 'spooled') return { values: fields };
  return { values: fields, file: { ...source.file, ...declared.get(source.file.path) } };
}

/** The one field that is not a text. */
function fieldValue(name: string, value: unknown): unknown {
  if (name !== 'metadata' || typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    // The schema says what is wrong with it.
    return value;
  }
}
