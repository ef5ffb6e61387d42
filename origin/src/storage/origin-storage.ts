/** Where an origin keeps what must outlive a process: its own disk, or the cluster's Redis. */

import type { OutboxStore } from '@headwater/shared/callbacks/outbox-store';
import type { SubjectLedger } from '@headwater/shared/gateway/subject-ledger';
import type { TaskSettings } from '@headwater/shared/protocol/task-settings';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import type { Clock, Logger, Outbox } from '@headwater/shared/stream/ports';
import type { SessionState } from '@headwater/shared/stream/session-state';
import type { TaskQueue, TaskStore } from '@headwater/shared/tasks/ports';
import type { Queue } from 'bullmq';
import type { FileBlobStore } from '../inputs/file-blob-store.ts';
import type { Spool } from '../inputs/spool.ts';
import type { SessionRegistry } from '../sessions/session-registry.ts';

/** What sessions run on. */
export interface SessionRuntime {
  readonly registry: ProviderRegistry;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxReaders: number;
  readonly maxBufferedBytes: number;
  /** A session has ended: its subject may open another one. MUST NOT throw. */
  ended(state: SessionState): void;
}

/** What tasks are kept on. */
export interface TaskRuntime {
  /** Every type that there may be tasks of. */
  readonly types: readonly string[];
  readonly settings: TaskSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Where tasks, their files and their order are kept. */
export interface TaskStorage {
  readonly store: TaskStore;
  readonly queue: TaskQueue;
  readonly blobs: FileBlobStore;
  /** Where files are that are not kept yet. */
  readonly spool: Spool;
  /** For the log and for whoever asks. */
  readonly queueKind: 'in-process' | 'bullmq';
  /** What bull-board shows; none of a queue without a board. */
  boardQueues(): readonly Queue[];
  /** Lets go of everything, once nobody works or waits any more. */
  close(): Promise<void>;
}

/** A place to keep things. */
export interface OriginStorage {
  /** For the log. */
  readonly kind: 'disk' | 'redis';
  readonly ledger: SubjectLedger;
  readonly outboxStore: OutboxStore;
  /** Longest time between two looks at deliveries that other instances keep, in ms. */
  readonly sharedPollMs?: number;
  /** Brings back, or takes over, what is live; called once. */
  openSessions(runtime: SessionRuntime): Promise<SessionRegistry>;
  /** Called once. Errors: `unavailable`. */
  openTasks(runtime: TaskRuntime): Promise<TaskStorage>;
  /** Lets go of everything, once nothing is kept any more. */
  close(): Promise<void>;
}
