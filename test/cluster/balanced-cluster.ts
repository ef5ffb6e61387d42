/** A cluster as its callers see it: one address. */

import { startRedis } from '../../origin/src/testing/redis-server.ts';
import type { HostSettings, RunningHost } from '../hosts/host.ts';
import { startBalancer } from './balancer.ts';
import { startClusterHost } from './cluster-host.ts';

/** Two origins behind one address, each connection to another one: no caller may notice. */
export async function startBalancedCluster(settings: HostSettings): Promise<RunningHost> {
  const redis = await startRedis();
  const all = { ...settings, REDIS_URL: redis.url };
  const hosts = await Promise.all([startClusterHost(all), startClusterHost(all)]);
  const balancer = await startBalancer(
    hosts.map(({ baseUrl }) => baseUrl),
    'turns',
  );
  const end = async (stop: (host: RunningHost) => Promise<void>) => {
    await balancer.close();
    await Promise.all(hosts.map(stop));
    await redis.stop();
  };
  return {
    baseUrl: balancer.baseUrl,
    logs: () => hosts.map((host) => host.logs()).join(''),
    close: () => end((host) => host.close()),
    kill: () => end((host) => host.kill()),
  };
}
