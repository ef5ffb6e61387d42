/** What instances of a cluster tell each other. Any word may be lost: whoever needs it says it again. */

import type { EventPosition } from '@headwater/shared/stream/event';
import type { Logger } from '@headwater/shared/stream/ports';
import type { Redis } from 'ioredis';
import { tellOutages } from '../adapters/redis-connection.ts';
import { instanceChannel, newsChannel } from '../adapters/redis-keys.ts';

/** A word to an instance, most often to the owner of streams. */
export type InstanceMessage =
  /** So many readers of its streams are at `from`. */
  | {
      readonly type: 'readers';
      readonly from: string;
      readonly counts: Readonly<Record<string, number>>;
    }
  /** The owner's answer to it: so many readers are at all the other instances together. */
  | { readonly type: 'elsewhere'; readonly counts: Readonly<Record<string, number>> }
  | { readonly type: 'cancel'; readonly streamId: string };

/** Words and hints. */
export interface ClusterNews {
  /** Calls `hint` for each hint of a stream; what it returns ends it. */
  watch(streamId: string, hint: (head?: EventPosition) => void): () => void;
  tell(instanceId: string, message: InstanceMessage): Promise<void>;
  close(): void;
}

/** Opens a second connection, which only listens, and hears what is said to this instance. */
export async function createClusterNews(
  redis: Redis,
  instanceId: string,
  logger: Logger,
  onMessage: (message: InstanceMessage) => void,
): Promise<ClusterNews> {
  // A subscription waits for Redis for as long as it takes; a poll stands in for it meanwhile.
  const listener = redis.duplicate({ commandTimeout: undefined });
  const watchers = new Map<string, Set<(head?: EventPosition) => void>>();
  const mine = instanceChannel(instanceId);

  const unheard = (err: unknown) => logger.warn({ err }, 'cluster news not heard');
  tellOutages(listener, unheard);

  listener.on('message', (channel: string, text: string) => {
    try {
      if (channel === mine) onMessage(JSON.parse(text) as InstanceMessage);
      else for (const hint of watchers.get(channel) ?? []) hint(headIn(text));
    } catch (thrown) {
      // One word that cannot be taken must not cost the process.
      unheard(thrown);
    }
  });

  await listener.subscribe(mine);

  return {
    watch(streamId, hint) {
      const channel = newsChannel(streamId);
      let hints = watchers.get(channel);
      if (hints === undefined) {
        hints = new Set();
        watchers.set(channel, hints);
        listener.subscribe(channel).catch(unheard);
      }
      hints.add(hint);
      return () => {
        hints.delete(hint);
        if (hints.size > 0 || watchers.get(channel) !== hints) return;
        watchers.delete(channel);
        listener.unsubscribe(channel).catch(unheard);
      };
    },
    async tell(to, message) {
      await redis.publish(instanceChannel(to), JSON.stringify(message));
    },
    close() {
      listener.off('error', unheard);
      listener.on('error', () => undefined); // Nobody listens any more.
      listener.disconnect();
    },
  };
}

/** Where the log ends, in a hint that says so. */
function headIn(text: string): EventPosition | undefined {
  const match = /^(\d+)-(\d+)$/.exec(text);
  return match === null ? undefined : { epoch: Number(match[1]), seq: Number(match[2]) };
}
