/** Where an origin keeps what must outlive a process: its own disk, or the cluster's Redis. */

import type { OutboxStore } from '@headwater/shared/callbacks/outbox-store';
import type { SubjectLedger } from '@headwater/shared/gateway/subject-ledger';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import type { Clock, Logger, Outbox } from '@headwater/shared/stream/ports';
import type { SessionState } from '@headwater/shared/stream/session-state';
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
  /** Lets go of everything, once nothing is kept any more. */
  close(): Promise<void>;
}
