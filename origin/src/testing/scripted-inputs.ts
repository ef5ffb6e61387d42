/** A reader of bodies that checks little, and files that are in memory. */

import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { BlobStore } from '@headwater/shared/tasks/ports';
import type { Json } from '@headwater/shared/tasks/task';
import type { DraftEntry, InboundBody, InputReader, TaskDraft } from '../inputs/draft.ts';

/** What a test sends: the engine's fields, and `file`, a text that is kept as a file. */
interface SentTask {
  readonly type?: string;
  readonly priority?: number;
  readonly timeoutSeconds?: number;
  readonly callbackUrl?: string;
  readonly file?: string;
  readonly [name: string]: Json | undefined;
}

/** Files in memory. */
export interface MemoryBlobs extends BlobStore {
  readonly names: readonly string[];
}

/** Makes an empty store of files. */
export function createMemoryBlobs(): MemoryBlobs {
  const kept = new Map<string, Uint8Array>();
  let made = 0;
  return {
    get names() {
      return [...kept.keys()];
    },
    async put(source) {
      const parts: Uint8Array[] = [];
      for await (const part of source) parts.push(part);
      made += 1;
      const bytes = Buffer.concat(parts);
      kept.set(`blob_${made}`, bytes);
      return { blob: `blob_${made}`, bytes: bytes.length };
    },
    async lend() {
      throw new GatewayError('not_found', 'These files are lent to nobody.');
    },
    async drop(blobs) {
      for (const blob of blobs) kept.delete(blob);
    },
  };
}

/** Makes a reader of JSON that knows these types. */
export function createScriptedInputs(blobs: BlobStore, types: readonly string[]): InputReader {
  const hashOf = (value: unknown) =>
    createHash('sha256').update(JSON.stringify(value)).digest('hex');

  async function sentBy({ body }: InboundBody): Promise<SentTask> {
    try {
      return JSON.parse(await text(body)) as SentTask;
    } catch (cause) {
      throw new GatewayError('validation_failed', 'The body is no JSON.', { cause });
    }
  }

  async function draftOf(type: string, sent: SentTask): Promise<TaskDraft> {
    const { type: _type, priority = 5, timeoutSeconds = 60, callbackUrl, file, ...params } = sent;
    if (priority < 1) throw new GatewayError('validation_failed', 'priority: is below 1.');
    const kept = file === undefined ? [] : [await blobs.put(bytesOf(file), 1_000_000)];
    return {
      type,
      input: {
        params: params as { readonly [name: string]: Json },
        files: kept.map((blob) => ({ field: 'file', mediaType: 'text/plain', ...blob })),
      },
      priority,
      timeoutMs: timeoutSeconds * 1000,
      ...(callbackUrl === undefined ? {} : { callbackUrl }),
      fingerprint: hashOf(sent),
    };
  }

  async function entryOf(sent: SentTask): Promise<DraftEntry> {
    try {
      const type = sent.type ?? '';
      if (!types.includes(type)) throw new GatewayError('validation_failed', 'type: is unknown.');
      return { draft: await draftOf(type, sent) };
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown;
      return { error: { code: thrown.code, message: thrown.message } };
    }
  }

  return {
    readTask: async (type, body) => draftOf(type, await sentBy(body)),
    async readBatch(body) {
      const sent = (await sentBy(body)) as unknown as { tasks: readonly SentTask[] };
      const entries: DraftEntry[] = [];
      for (const task of sent.tasks) entries.push(await entryOf(task));
      return { entries, fingerprint: hashOf(sent) };
    },
    discard: (drafts) =>
      blobs.drop(drafts.flatMap(({ input }) => input.files.map(({ blob }) => blob))),
  };
}

async function* bytesOf(file: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(file);
}
