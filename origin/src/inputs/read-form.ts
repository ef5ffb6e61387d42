/** Reads `multipart/form-data`: files go to disk as they come, and are never whole in memory. */

import type { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { requestFaults } from '@headwater/shared/protocol/tasks';
import type { EngineManifest } from '../engines/engine-manifest.ts';
import { type ByteBudget, createByteBudget, tooLarge } from './byte-budget.ts';
import type { FileSource } from './file-source.ts';
import type { RawFields } from './raw-task.ts';
import type { Spool } from './spool.ts';
import type { Workspace } from './workspace.ts';

/** Most parts that are no files. */
const MAX_TEXT_PARTS = 100;

/** Most bytes of the head of a part. */
const MAX_HEAD_BYTES = 16 * 1024;

/** A part whose JSON object holds fields, beside those that are parts of their own. */
const JSON_PART = 'input';

/** What it is wired to. */
export interface FormPorts {
  readonly spool: Spool;
  readonly workspace: Workspace;
  /** Of one file. */
  readonly maxBytes: number;
  /** Of all files. */
  readonly files: ByteBudget;
  /** Of all that is no file. */
  readonly texts: ByteBudget;
  /** Hears what the sender calls a file that was written, and takes it for. */
  readonly declared?: (
    path: string,
    said: { readonly fileName?: string; readonly mediaType?: string },
  ) => void;
}

/**
 * Reads the form. Errors: `validation_failed` for a form that is broken, or has parts that the task
 * does not take; `payload_too_large`; those of the spool. It stops reading at the first of them.
 */
export async function readForm(
  manifest: EngineManifest,
  contentType: string,
  body: Readable,
  ports: FormPorts,
): Promise<RawFields> {
  const form = collectFields(manifest, ports);
  const busboy = openBusboy(manifest, contentType, ports.texts.maxBytes);
  const over = Promise.withResolvers<void>();
  const files = new Map<BusboyFileStream, Promise<void>>();
  let refusal: GatewayError | undefined;
  const fail = (thrown: unknown): void => {
    refusal ??= thrown instanceof GatewayError ? thrown : brokenForm(thrown);
    over.reject(refusal);
  };

  busboy.on('field', (name, value, _nameTruncated, valueTruncated) => {
    try {
      if (valueTruncated) throw tooLarge(`The text of ${name}`, ports.texts.maxBytes);
      form.takeText(name, value);
    } catch (thrown) {
      fail(thrown);
    }
  });
  busboy.on('file', (name, file, fileName, _encoding, mediaType) => {
    // Heard from the first moment on: it may break before anyone reads it.
    file.on('error', fail);
    const said = {
      ...(fileName ? { fileName } : {}),
      ...(mediaType ? { mediaType } : {}),
    };
    files.set(file, form.takeFile(name, file, said).catch(fail));
  });
  for (const event of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const) {
    busboy.on(event, () => fail(fault('body', 'has too many parts.')));
  }
  busboy.on('error', fail);
  busboy.on('finish', () => over.resolve());
  body.on('error', fail);
  const closed = (): void => {
    if (!body.readableEnded) fail(new Error('the body ended early'));
  };
  body.on('close', closed);
  body.pipe(busboy);
  try {
    await over.promise;
  } finally {
    body.unpipe(busboy).off('close', closed);
    busboy.on('error', ignore).destroy();
    if (refusal !== undefined) {
      // Those that have come to their end do not notice.
      for (const file of files.keys()) file.destroy(new Error('the form is not read on'));
    }
    await Promise.all(files.values());
  }
  // The form may have come to its end before its last file was found too large.
  if (refusal !== undefined) throw refusal;
  return form.fields();
}

/** Gathers what the parts hold. */
function collectFields(manifest: EngineManifest, ports: FormPorts) {
  const values = new Map<string, unknown>();
  const texts = new Set<string>();
  const parts = new Map<string, FileSource[]>();
  const isFileField = (name: string) => manifest.files.some(({ field }) => field === name);

  function put(name: string, value: unknown): void {
    if (values.has(name)) throw fault(name, 'came twice.');
    values.set(name, value);
  }

  function putObject(text: string): void {
    for (const [name, value] of Object.entries(parseObject(text))) put(name, value);
  }

  function takeText(name: string, value: string): void {
    ports.texts.take(Buffer.byteLength(name) + Buffer.byteLength(value));
    const field = fieldOf(name);
    if (isFileField(field)) {
      const before = values.get(field);
      values.set(field, Array.isArray(before) ? [...before, value] : [value]);
    } else if (field === JSON_PART) {
      putObject(value);
    } else {
      put(field, value);
      texts.add(field);
    }
  }

  async function takeFile(
    name: string,
    file: BusboyFileStream,
    said: { readonly fileName?: string; readonly mediaType?: string },
  ): Promise<void> {
    const field = fieldOf(name);
    if (!isFileField(field)) {
      // Browsers send JSON as a file without a name.
      if (field !== JSON_PART) throw fault(field, 'takes no file.');
      takeText(name, await joinText(file, ports.texts.maxBytes));
      return;
    }
    const list = parts.get(field) ?? [];
    parts.set(field, list);
    const budgets = [createByteBudget(ports.maxBytes, field), ports.files];
    // A refusal of its own must not look like a form that broke.
    const bytes = file.iterator({ destroyOnReturn: false });
    const spooled = await ports.spool.write(bytes, budgets);
    ports.workspace.spooled(spooled.path);
    ports.declared?.(spooled.path, said);
    list.push({ type: 'spooled', file: spooled });
  }

  return { takeText, takeFile, fields: (): RawFields => ({ values, texts, parts }) };
}

function openBusboy(
  { files }: EngineManifest,
  contentType: string,
  fieldSize: number,
): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: {
        // One more for the JSON.
        files: files.reduce((sum, { max }) => sum + max, 1),
        fields: MAX_TEXT_PARTS,
        fieldSize,
        headerSize: MAX_HEAD_BYTES,
      },
    });
  } catch (cause) {
    // A content type without a boundary.
    throw brokenForm(cause);
  }
}

/** The field of a part: `images[]` and `images[3]` are `images`. */
function fieldOf(name: string | undefined): string {
  if (name === undefined || name === '') throw fault('body', 'has a part without a name.');
  return name.replace(/\[\d{0,4}\]$/, '');
}

async function joinText(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const budget = createByteBudget(maxBytes, 'The fields of a task');
  const gathered: Uint8Array[] = [];
  for await (const chunk of chunks) {
    budget.take(chunk.length);
    gathered.push(chunk);
  }
  return Buffer.concat(gathered).toString('utf8');
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw new GatewayError('validation_failed', `${JSON_PART} is no JSON object.`, { cause });
  }
  throw new GatewayError('validation_failed', `${JSON_PART} is no JSON object.`);
}

function brokenForm(cause: unknown): GatewayError {
  return new GatewayError('validation_failed', 'The body is no complete multipart form.', {
    cause,
  });
}

function fault(path: string, message: string): GatewayError {
  return requestFaults([{ path, message }]);
}

/** What is thrown away may fail. */
function ignore(): void {}
