/** What a request for a task comes to, once it was read and checked and its files are kept. */

import type { Readable } from 'node:stream';
import type { TaskError, TaskInput } from '@headwater/shared/tasks/task';

/** A task that may be accepted. */
export interface TaskDraft {
  readonly type: string;
  readonly input: TaskInput;
  /** 1–10, 10 first. Default 5. */
  readonly priority: number;
  /** Longest time of one attempt, in ms. Default: the setting's. */
  readonly timeoutMs: number;
  readonly callbackUrl?: string;
  /** SHA-256 hex over all that was asked, files' content included. */
  readonly fingerprint: string;
}

/** An entry of a batch, or why it is none. */
export type DraftEntry = { readonly draft: TaskDraft } | { readonly error: TaskError };

/** The body of a request, as it comes in. */
export interface InboundBody {
  readonly contentType: string | undefined;
  readonly contentLength: number | undefined;
  readonly body: Readable;
}

/** Makes drafts of bodies. */
export interface InputReader {
  /** Throws GatewayError, and then no file is left. */
  readTask(type: string, body: InboundBody): Promise<TaskDraft>;
  /** Throws GatewayError where the batch as a whole is bad, and then no file is left. */
  readBatch(
    body: InboundBody,
  ): Promise<{ readonly entries: readonly DraftEntry[]; readonly fingerprint: string }>;
  /** Forgets the files of drafts that were not kept. */
  discard(drafts: readonly TaskDraft[]): Promise<void>;
}
