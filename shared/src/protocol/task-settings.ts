/** What an origin does with tasks, as settings. */

import * as z from 'zod';
import { hostList, httpUrl, text, wholeNumber } from './setting-types.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const ROLES = ['all', 'api', 'worker'] as const;

/** What an origin process does: serve requests and run tasks, or one of the two. */
export type OriginRole = (typeof ROLES)[number];

/** Names, comma-separated. */
const names = text.transform((value) =>
  value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== ''),
);

/** Schema of the settings. */
export const TASK_SETTINGS = {
  ROLE: z.enum(ROLES, { error: 'is none of all, api and worker.' }).optional(),
  MAX_WORKERS: wholeNumber(1, 256).optional(),
  WORKER_TYPES: names.optional(),
  WORKER_MEMORY_MB: wholeNumber(64, 1_048_576).optional(),
  PROCESSING_TIMEOUT: wholeNumber(1, 86_400).optional(),
  TASK_MAX_ATTEMPTS: wholeNumber(1, 20).optional(),
  TASK_RETENTION_SECONDS: wholeNumber(60, 2_592_000).optional(),
  TASK_ENGINES: names.optional(),
  MAX_QUEUED_TASKS: wholeNumber(1, 10_000_000).optional(),
  MAX_QUEUED_TASKS_PER_SUBJECT: wholeNumber(1, 10_000_000).optional(),
  MAX_INPUT_BYTES: wholeNumber(KIB, 1024 * MIB).optional(),
  MAX_INPUT_PIXELS: wholeNumber(1, 1_000_000_000).optional(),
  MAX_INPUT_FRAMES: wholeNumber(1, 10_000).optional(),
  INPUT_ALLOWED_HOSTS: hostList.optional(),
  S3_ENDPOINT: httpUrl.optional(),
  S3_REGION: text.optional(),
  S3_BUCKET: text.optional(),
  S3_INPUT_BUCKETS: names.optional(),
  S3_ACCESS_KEY_ID: text.optional(),
  S3_SECRET_ACCESS_KEY: text.optional(),
};

/** What a file that comes in may be. */
export interface InputLimits {
  /** Of one file. Default 50 MiB. Beyond: `payload_too_large`. */
  readonly maxBytes: number;
  /** Width × height of one image. Default 64 million. Beyond: `payload_too_large`. */
  readonly maxPixels: number;
  /** Frames of an animation or a multi-page image. Default 100. Beyond: `payload_too_large`. */
  readonly maxFrames: number;
  /** Hosts that inputs may be fetched from; they may be private, and http. Default: any public one, by https. */
  readonly allowedHosts: readonly string[];
}

/** An S3-compatible store. */
export interface S3Settings {
  /** Default: Amazon's. */
  readonly endpoint?: string;
  /** Default `us-east-1`. */
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where files of tasks are kept between the instances of a cluster; absent: in Redis. */
  readonly bucket?: string;
  /** Buckets that callers may name by `s3://`. Default: `bucket` alone. */
  readonly inputBuckets: readonly string[];
}

/** The settings, parsed. */
export interface TaskSettings {
  /** Default `all`. */
  readonly role: OriginRole;
  /** Engine processes of this node, each of which runs one task at a time. Default 4. */
  readonly maxWorkers: number;
  /** Types this node runs. Default: all that its engines can. */
  readonly workerTypes?: readonly string[];
  /** Resident memory at which an engine process is ended, in bytes. Default 2 GiB. */
  readonly workerMemoryBytes: number;
  /** Time of one attempt where the task names none, and the most it may name, in ms. Default 300 s. */
  readonly timeoutMs: number;
  /** Default 3. */
  readonly maxAttempts: number;
  /** How long a task that is over is kept, in ms. Default a day. */
  readonly retentionMs: number;
  /** Modules of engines beside the built-in ones, as paths. */
  readonly engineModules: readonly string[];
  /** Default 100,000. Beyond: `rate_limited`. */
  readonly maxQueued: number;
  /** Default 10,000. Beyond: `rate_limited`. */
  readonly maxQueuedPerSubject: number;
  readonly inputs: InputLimits;
  readonly s3?: S3Settings;
}

/** Fills in the defaults. */
export function readTaskSettings(
  read: Partial<z.output<z.ZodObject<typeof TASK_SETTINGS>>>,
): TaskSettings {
  const s3 = readS3(read);
  return {
    role: read.ROLE ?? 'all',
    maxWorkers: read.MAX_WORKERS ?? 4,
    ...(read.WORKER_TYPES === undefined ? {} : { workerTypes: read.WORKER_TYPES }),
    workerMemoryBytes: (read.WORKER_MEMORY_MB ?? 2048) * MIB,
    timeoutMs: (read.PROCESSING_TIMEOUT ?? 300) * 1000,
    maxAttempts: read.TASK_MAX_ATTEMPTS ?? 3,
    retentionMs: (read.TASK_RETENTION_SECONDS ?? 86_400) * 1000,
    engineModules: read.TASK_ENGINES ?? [],
    maxQueued: read.MAX_QUEUED_TASKS ?? 100_000,
    maxQueuedPerSubject: read.MAX_QUEUED_TASKS_PER_SUBJECT ?? 10_000,
    inputs: {
      maxBytes: read.MAX_INPUT_BYTES ?? 50 * MIB,
      maxPixels: read.MAX_INPUT_PIXELS ?? 64_000_000,
      maxFrames: read.MAX_INPUT_FRAMES ?? 100,
      allowedHosts: read.INPUT_ALLOWED_HOSTS ?? [],
    },
    ...(s3 === undefined ? {} : { s3 }),
  };
}

function readS3(
  read: Partial<z.output<z.ZodObject<typeof TASK_SETTINGS>>>,
): S3Settings | undefined {
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = read;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const bucket = read.S3_BUCKET;
  return {
    ...(read.S3_ENDPOINT === undefined ? {} : { endpoint: read.S3_ENDPOINT }),
    region: read.S3_REGION ?? 'us-east-1',
    accessKeyId,
    secretAccessKey,
    ...(bucket === undefined ? {} : { bucket }),
    inputBuckets: read.S3_INPUT_BUCKETS ?? (bucket === undefined ? [] : [bucket]),
  };
}

/** Settings that are dead without another one: `[name, needed]`. */
export const TASK_SETTINGS_TOGETHER = [
  ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
  ['S3_SECRET_ACCESS_KEY', 'S3_ACCESS_KEY_ID'],
  ['S3_ENDPOINT', 'S3_ACCESS_KEY_ID'],
  ['S3_BUCKET', 'S3_ACCESS_KEY_ID'],
  ['S3_INPUT_BUCKETS', 'S3_ACCESS_KEY_ID'],
] as const;
