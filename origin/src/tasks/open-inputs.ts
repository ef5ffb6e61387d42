/** The reader of what comes in with tasks, made from the settings. */

import type { Logger } from '@headwater/shared/stream/ports';
import type { OriginConfig } from '../config.ts';
import type { EngineRegistry } from '../engines/registry.ts';
import type { InputReader } from '../inputs/draft.ts';
import { createInputFetch } from '../inputs/fetch-input.ts';
import { createInputReader } from '../inputs/input-reader.ts';
import type { OpenInput } from '../inputs/opened-input.ts';
import type { TaskStorage } from '../storage/origin-storage.ts';

/** The reader, and what ends the connections that it holds. */
export interface OpenedInputs {
  readonly reader: InputReader;
  close(): Promise<void>;
}

/** Opens it. */
export async function openInputs(
  { settings, origin }: OriginConfig,
  manifests: EngineRegistry,
  { blobs, spool }: TaskStorage,
  logger: Logger,
): Promise<OpenedInputs> {
  const { tasks } = origin;
  const { devMode: allowLoopback, callbackAllowedHosts } = settings;
  const { open: fetchInput, close } = createInputFetch({
    allowedHosts: tasks.inputs.allowedHosts,
    allowLoopback,
  });
  const s3 = await openS3(tasks.s3);
  const reader = createInputReader({
    manifests,
    blobs,
    spool,
    fetchInput,
    ...(s3 === undefined ? {} : { s3 }),
    tasks,
    callbackPolicy: { allowedHosts: callbackAllowedHosts, allowLoopback },
    logger,
  });
  return { reader, close };
}

async function openS3(s3: OriginConfig['origin']['tasks']['s3']): Promise<OpenInput | undefined> {
  if (s3 === undefined) return undefined;
  // Loaded where it is needed: the client is large.
  const { createS3Client } = await import('../inputs/s3-client.ts');
  const { createS3Input } = await import('../inputs/s3-input.ts');
  return createS3Input(createS3Client(s3), s3.inputBuckets);
}
