/** Two origins on one real Redis, with everything around them. */

import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { type RedisServer, startRedis } from '../../origin/src/testing/redis-server.ts';
import { type CallbackReceiver, startCallbackReceiver } from '../hosts/callback-receiver.ts';
import { openStream } from '../hosts/gateway-client.ts';
import { worldSettings } from '../hosts/world.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type ClusterHost, startClusterHost } from './cluster-host.ts';

/** A running cluster. */
export interface ClusterWorld {
  readonly redis: RedisServer;
  readonly vendor: ScriptedVendor;
  readonly receiver: CallbackReceiver;
  readonly a: ClusterHost;
  readonly b: ClusterHost;
  /** Leads to `a` while it takes connections, else to `b`. */
  readonly balancer: Balancer;
  /** Opens a stream on `a` that answers slowly enough to be disturbed. */
  open(name: string, prompt: string, body?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** The same stream at another address. */
export function at(baseUrl: string, streamUrl: string): string {
  const { pathname, search } = new URL(streamUrl);
  return `${baseUrl}${pathname}${search}`;
}

/** A prompt whose answer takes `tokens` × `delayMs`. */
export function slowPrompt(tokens: number, delayMs: number): string {
  return scriptedPrompt({ tokens, delayMs });
}

/** Starts a cluster; `close` ends it, whatever became of its parts. */
export async function startCluster(): Promise<ClusterWorld & { close(): Promise<void> }> {
  const redis = await startRedis(['--appendonly', 'yes']);
  const vendor = await startScriptedVendor();
  const receiver = await startCallbackReceiver();
  const settings = {
    ...worldSettings(vendor),
    STREAM_TTL_SECONDS: '30',
    SHUTDOWN_GRACE_SECONDS: '1',
    REDIS_URL: redis.url,
  };
  const [a, b] = await Promise.all([startClusterHost(settings), startClusterHost(settings)]);
  const balancer = await startBalancer([a.baseUrl, b.baseUrl]);
  return {
    redis,
    vendor,
    receiver,
    a,
    b,
    balancer,
    open: (name, prompt, body = {}) =>
      openStream(a.baseUrl, name, { resumeUrl: receiver.urlFor(name), prompt, ...body }),
    async close() {
      await balancer.close();
      a.resume();
      await Promise.all([a.close(), b.close()]);
      await receiver.close();
      await vendor.close();
      await redis.stop();
    },
  };
}

/** Runs a test in a cluster of its own, whose parts it may end. */
export async function withCluster(test: (world: ClusterWorld) => Promise<void>): Promise<void> {
  const { close, ...world } = await startCluster();
  try {
    await test(world);
  } finally {
    await close();
  }
}
