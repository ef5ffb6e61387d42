/** Makes a draft of a checked task: its files are brought in, all of them or none. */

import type { TaskSettings } from '@headwater/shared/protocol/task-settings';
import { requestFaults } from '@headwater/shared/protocol/tasks';
import { type CallbackPolicy, checkCallbackUrl } from '@headwater/shared/security/callback-guard';
import type { EngineManifest } from '../engines/engine-manifest.ts';
import type { TaskDraft } from './draft.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type FileContext, type FilePorts, type KeptFile, keepFile } from './keep-file.ts';
import { type CheckedTask, checkTask, type RawFields } from './raw-task.ts';

/** What it is wired to. */
export interface DraftPorts extends FilePorts {
  readonly tasks: Pick<TaskSettings, 'timeoutMs'>;
  readonly callbackPolicy: CallbackPolicy;
  /** Lets so many files in at once as the request may have. */
  readonly gate: <T>(action: () => Promise<T>) => Promise<T>;
}

/** What the files of a request share; `deadline` is asked for once there are files. */
export type DraftContext = Omit<FileContext, 'signal'> & { readonly deadline: () => AbortSignal };

/**
 * Makes the draft. Errors: `validation_failed` with every faulty field; those of the files. After
 * any of them no file is kept.
 */
export async function buildDraft(
  manifest: EngineManifest,
  raw: RawFields,
  ports: DraftPorts,
  context: DraftContext,
): Promise<TaskDraft> {
  const { fields, params, files } = checkTask(manifest, raw);
  const { type } = manifest;
  const { priority, callbackUrl } = fields;
  const timeoutMs = readTimeout(fields.timeoutSeconds, ports.tasks.timeoutMs);
  if (callbackUrl !== undefined) {
    checkCallbackUrl(callbackUrl, ports.callbackPolicy, 'callbackUrl');
  }
  const kept = await keepAll(files, ports, context);
  const identities = kept.map(({ file, identity }) => [file.field, identity]);
  const asked = { type, priority, timeoutMs, callbackUrl, params, files: identities };
  return {
    type,
    input: { params, files: kept.map(({ file }) => file) },
    priority,
    timeoutMs,
    ...(callbackUrl === undefined ? {} : { callbackUrl }),
    // Seldom asked for: most requests have no key.
    get fingerprint() {
      return fingerprintOf(asked);
    },
  };
}

/** The first that fails stops the others. */
async function keepAll(
  files: CheckedTask['files'],
  ports: DraftPorts,
  context: DraftContext,
): Promise<readonly KeptFile[]> {
  // A timer a task that has no files would cost more than the task.
  if (files.length === 0) return [];
  const stop = new AbortController();
  const signal = AbortSignal.any([context.deadline(), stop.signal]);
  let failure: { readonly thrown: unknown } | undefined;
  const outcomes = await Promise.all(
    files.map(async (file) => {
      try {
        return await ports.gate(() => keepFile(file, ports, { ...context, signal }));
      } catch (thrown) {
        failure ??= { thrown };
        stop.abort();
        return undefined;
      }
    }),
  );
  if (failure === undefined) return outcomes.filter((outcome) => outcome !== undefined);
  await context.workspace.drop();
  throw failure.thrown;
}

function readTimeout(seconds: number | undefined, maxMs: number): number {
  const timeoutMs = seconds === undefined ? maxMs : seconds * 1000;
  if (timeoutMs <= maxMs) return timeoutMs;
  throw requestFaults([
    { path: 'timeoutSeconds', message: `is more than PROCESSING_TIMEOUT, ${maxMs / 1000}.` },
  ]);
}
