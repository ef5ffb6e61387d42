/** A real S3-compatible server for the tests that need one: s3rver, which keeps objects on disk. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Settings } from '@headwater/shared/protocol/task-settings';

/** What is used of the package, which has no types. */
interface Server {
  run(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}
const S3Rver = createRequire(import.meta.url)('s3rver') as new (options: {
  readonly address: string;
  readonly port: number;
  readonly silent: boolean;
  readonly directory: string;
  readonly configureBuckets: readonly { readonly name: string }[];
}) => Server;

/** A running server on a loopback port. */
export interface S3Server {
  readonly settings: S3Settings;
  /** Names of the files it keeps: there are none where there is no object. */
  files(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Starts a server with these buckets. It takes any signature: refusals are scripted elsewhere. */
export async function startS3(buckets: readonly string[]): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'headwater-s3-'));
  const server = new S3Rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: buckets.map((name) => ({ name })),
  });
  const { port } = await server.run();
  return {
    settings: {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
      inputBuckets: buckets,
    },
    async files() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    async stop() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
