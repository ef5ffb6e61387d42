/** Words about tasks, heard on a connection of their own. Any may be lost. */

import type { Logger } from '@headwater/shared/stream/ports';
import type { Redis } from 'ioredis';
import { tellOutages } from './redis-connection.ts';

/** Listens to channels. */
export interface RedisTaskNews {
  /** Calls `hear` with each word on the channel; what it returns ends it. */
  hear(channel: string, hear: (word: string) => void): () => void;
  close(): void;
}

/** Opens the connection, beside one that is used for commands. */
export function createRedisTaskNews(redis: Redis, logger: Logger): RedisTaskNews {
  // A subscription waits for Redis for as long as it takes; whoever listens also looks by itself.
  const listener = redis.duplicate({ commandTimeout: undefined });
  const listeners = new Map<string, Set<(word: string) => void>>();
  let isClosed = false;

  const unheard = (err: unknown) => {
    if (!isClosed) logger.warn({ err }, 'news of tasks not heard');
  };
  tellOutages(listener, unheard);

  listener.on('message', (channel: string, word: string) => {
    for (const hear of listeners.get(channel) ?? []) {
      try {
        hear(word);
      } catch (thrown) {
        // One word that cannot be taken must not cost the process.
        unheard(thrown);
      }
    }
  });

  return {
    hear(channel, hear) {
      let all = listeners.get(channel);
      if (all === undefined) {
        all = new Set();
        listeners.set(channel, all);
        if (!isClosed) listener.subscribe(channel).catch(unheard);
      }
      const set = all;
      // Each listening is one of its own, also where the function is the same.
      const own = (word: string) => hear(word);
      set.add(own);
      return () => {
        set.delete(own);
        if (set.size > 0 || listeners.get(channel) !== set) return;
        listeners.delete(channel);
        if (!isClosed) listener.unsubscribe(channel).catch(unheard);
      };
    },
    close() {
      isClosed = true;
      listener.disconnect();
    },
  };
}
