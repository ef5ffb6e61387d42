/** Reads requests for tasks, and brings in what they bring along. */

import type { Readable } from 'node:stream';
import { GatewayError, toGatewayError } from '@headwater/shared/protocol/errors';
import type { TaskSettings } from '@headwater/shared/protocol/task-settings';
import {
  batchEntrySchema,
  batchSchema,
  readRequest,
  requestFaults,
} from '@headwater/shared/protocol/tasks';
import type { CallbackPolicy } from '@headwater/shared/security/callback-guard';
import type { Logger } from '@headwater/shared/stream/ports';
import { blobsOf } from '@headwater/shared/tasks/ports';
import type { EngineRegistry } from '../engines/registry.ts';
import { bodyKindOf, letGo } from './body.ts';
import { buildDraft, type DraftPorts } from './build-draft.ts';
import { createByteBudget } from './byte-budget.ts';
import type { DraftEntry, InboundBody, InputReader, TaskDraft } from './draft.ts';
import type { FileBlobStore } from './file-blob-store.ts';
import { fingerprintOf } from './fingerprint.ts';
import { createGate } from './gate.ts';
import { inlineTexts } from './inline-texts.ts';
import { isLongText } from './long-text.ts';
import type { OpenInput } from './opened-input.ts';
import type { RawFields } from './raw-task.ts';
import { readForm } from './read-form.ts';
import { scanJson } from './scan-json.ts';
import type { Spool } from './spool.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

const MIB = 1024 * 1024;

/** Most bytes of what is no file: of a task, and of a batch. */
const TASK_FIELD_BYTES = MIB;
const BATCH_FIELD_BYTES = 4 * MIB;

/** Files of one task, and of one batch, are together at most so many times `MAX_INPUT_BYTES`. */
const TASK_FILES = 4;
const BATCH_FILES = 16;

/** Files of one request that come in at the same time. */
const FILES_AT_ONCE = 8;

/** Time for all files of a request that are given by reference, in ms. */
const REFERENCES_MS = 60_000;

/** What it is wired to. */
export interface InputReaderPorts {
  /** Its `not_found` and `unavailable` are the reader's. */
  readonly manifests: Pick<EngineRegistry, 'manifestOf'>;
  readonly blobs: FileBlobStore;
  /** Where files wait before they are kept: that of the blob store, where it has one. */
  readonly spool: Spool;
  readonly fetchInput: OpenInput;
  /** Absent where no S3 store is set up. */
  readonly s3?: OpenInput;
  readonly tasks: Pick<TaskSettings, 'timeoutMs' | 'inputs'>;
  readonly callbackPolicy: CallbackPolicy;
  readonly logger: Logger;
  /** Default 60 s. */
  readonly referencesMs?: number;
}

/** Makes the reader. */
export function createInputReader(ports: InputReaderPorts): InputReader {
  const { manifests, spool, blobs, tasks, logger, referencesMs = REFERENCES_MS } = ports;
  const { inputs: limits } = tasks;
  const newWorkspace = (): Workspace => createWorkspace(spool, blobs, logger);

  /** What the drafts of one request share. */
  function draftPorts(): DraftPorts {
    return { ...ports, limits, gate: createGate(FILES_AT_ONCE) };
  }

  function fileBudget(times: number, what: string) {
    return createByteBudget(times * limits.maxBytes, `The files of a ${what} together`);
  }

  /** Base64 is four thirds of what it stands for. */
  function scan(body: Readable, workspace: Workspace, fieldBytes: number): Promise<unknown> {
    return scanJson(body.iterator({ destroyOnReturn: false }), {
      spool,
      shortBudget: createByteBudget(fieldBytes, 'The fields beside the files'),
      wholeBudget: createByteBudget(jsonBytes(fieldBytes), 'A JSON body'),
      wrote: workspace.spooled,
    });
  }

  const jsonBytes = (fieldBytes: number): number =>
    Math.ceil((limits.maxBytes * 4) / 3) + fieldBytes;

  async function readTask(
    type: string,
    { contentType, contentLength = 0, body }: InboundBody,
    workspace: Workspace,
  ): Promise<TaskDraft> {
    const manifest = manifests.manifestOf(type);
    const shared = fileBudget(TASK_FILES, 'task');
    let raw: RawFields;
    if (bodyKindOf(contentType) === 'form') {
      createByteBudget(shared.maxBytes + 2 * TASK_FIELD_BYTES, 'A form').take(contentLength);
      const texts = createByteBudget(TASK_FIELD_BYTES, 'The fields beside the files');
      const form = { spool, workspace, maxBytes: limits.maxBytes, files: shared, texts };
      raw = await readForm(manifest, contentType ?? '', body, form);
    } else {
      createByteBudget(jsonBytes(TASK_FIELD_BYTES), 'A JSON body').take(contentLength);
      const value = await scan(body, workspace, TASK_FIELD_BYTES);
      if (!isObject(value)) throw requestFaults([{ path: '', message: 'is no JSON object.' }]);
      raw = await rawFields(type, value);
    }
    const deadline = () => AbortSignal.timeout(referencesMs);
    return buildDraft(manifest, raw, draftPorts(), { workspace, shared, deadline });
  }

  /** Long texts are files only where the engine takes files. */
  async function rawFields(type: string, value: object): Promise<RawFields> {
    const fileFields = new Set(manifests.manifestOf(type).files.map(({ field }) => field));
    const budget = createByteBudget(TASK_FIELD_BYTES, 'The fields beside the files');
    const values = new Map<string, unknown>();
    for (const [name, entry] of Object.entries(value)) {
      values.set(name, fileFields.has(name) ? entry : await inlineTexts(entry, budget));
    }
    return { values };
  }

  async function readBatch(
    { contentType, contentLength = 0, body }: InboundBody,
    scans: Workspace,
  ) {
    if (bodyKindOf(contentType) !== 'json') {
      throw new GatewayError('unsupported_media_type', 'A batch is sent as application/json.');
    }
    createByteBudget(jsonBytes(BATCH_FIELD_BYTES), 'A JSON body').take(contentLength);
    const value = await scan(body, scans, BATCH_FIELD_BYTES);
    const { tasks: entries, ...defaults } = readRequest(batchSchema, value);
    const shared = fileBudget(BATCH_FILES, 'batch');
    const signal = AbortSignal.timeout(referencesMs);
    const deadline = () => signal;
    const drafts = draftPorts();

    async function readEntry(entry: unknown): Promise<DraftEntry> {
      const workspace = newWorkspace();
      try {
        const { type, ...own } = readRequest(batchEntrySchema, entry);
        const manifest = manifestOfEntry(manifests, type);
        const raw = await rawFields(type, { ...defaults, ...own });
        return { draft: await buildDraft(manifest, raw, drafts, { workspace, shared, deadline }) };
      } catch (thrown) {
        const { code, message } = toGatewayError(thrown);
        if (!(thrown instanceof GatewayError))
          logger.error({ err: thrown }, 'a batch entry failed');
        return { error: { code, message } };
      } finally {
        await workspace.clear();
      }
    }

    return {
      entries: await Promise.all(entries.map(readEntry)),
      get fingerprint() {
        return fingerprintOf(value);
      },
    };
  }

  /** Runs it with a workspace of which no spooled file is left. */
  async function withWorkspace<T>(
    body: Readable,
    read: (workspace: Workspace) => Promise<T>,
  ): Promise<T> {
    const workspace = newWorkspace();
    try {
      return await read(workspace);
    } catch (thrown) {
      letGo(body);
      await workspace.drop();
      throw thrown;
    } finally {
      await workspace.clear();
    }
  }

  return {
    readTask: (type, inbound) =>
      withWorkspace(inbound.body, (workspace) => readTask(type, inbound, workspace)),
    readBatch: (inbound) =>
      withWorkspace(inbound.body, (workspace) => readBatch(inbound, workspace)),
    async discard(drafts) {
      const dropped = drafts.flatMap(({ input }) => blobsOf(input.files));
      if (dropped.length > 0) await blobs.drop(dropped);
    },
  };
}

/** Within a batch a type that nobody knows is a fault of the entry, not of the path. */
function manifestOfEntry(manifests: Pick<EngineRegistry, 'manifestOf'>, type: string) {
  try {
    return manifests.manifestOf(type);
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || thrown.code !== 'not_found') throw thrown;
    throw new GatewayError('validation_failed', `type: ${thrown.message}`, { cause: thrown });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isLongText(value);
}
