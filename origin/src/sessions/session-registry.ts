/** All live sessions of one origin process. */

import type { OutboxEngine } from '@headwater/shared/callbacks/outbox';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import { type StreamEngine, startEngine } from '@headwater/shared/stream/engine';
import { createMemoryLog } from '@headwater/shared/stream/memory-log';
import { createMemoryStore } from '@headwater/shared/stream/memory-store';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import type { SessionState } from '@headwater/shared/stream/session';
import { countTokens } from '@headwater/shared/text/count-tokens';
import { createTimeoutAlarm } from '../adapters/timeout-alarm.ts';

/** What the registry is wired to. */
export interface SessionRegistryPorts {
  readonly registry: ProviderRegistry;
  readonly outbox: OutboxEngine;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Sessions by stream id. */
export interface SessionRegistry {
  create(state: SessionState): Promise<void>;
  get(streamId: string): StreamEngine | undefined;
  /** Ends every live session, so that its callback can go out before the process does. */
  interrupt(): Promise<void>;
}

/** Makes an empty registry; sessions live and die with the process. */
export function createSessionRegistry(ports: SessionRegistryPorts): SessionRegistry {
  const engines = new Map<string, StreamEngine>();
  return {
    async create(state) {
      const { streamId, modelName } = state.request;
      let engine: StreamEngine | undefined;
      const alarm = createTimeoutAlarm(() => void engine?.wake());
      engine = await startEngine(
        state,
        {
          log: createMemoryLog(),
          store: createMemoryStore(),
          outbox: ports.outbox,
          clock: ports.clock,
          alarm,
          logger: ports.logger,
          provider: () => ports.registry.resolve(modelName).provider,
          countTokens,
          purged: () => engines.delete(streamId),
        },
        'created',
      );
      engines.set(streamId, engine);
    },
    get: (streamId) => engines.get(streamId),
    async interrupt() {
      await Promise.all([...engines.values()].map((engine) => engine.interrupt()));
    },
  };
}
