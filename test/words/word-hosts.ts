/** Every way to reach the text services: one address each. */

import { startPostgres } from '../../origin/src/testing/postgres-server.ts';
import { startRedis } from '../../origin/src/testing/redis-server.ts';
import { startBalancer } from '../cluster/balancer.ts';
import { startEdgeHost } from '../hosts/edge-host.ts';
import type { HostSettings, RunningHost, RunningProcess } from '../hosts/host.ts';
import { type OriginPlace, startOriginHost } from '../hosts/origin-host.ts';

/** Lets an edge in. */
const INTERNAL_KEY = 'canary-internal-key-of-edge-and-origin';

/** What an origin of these tests is set to, beside the world around it. */
const ORIGIN_SETTINGS: HostSettings = {
  INTERNAL_API_KEY: INTERNAL_KEY,
  MAX_WORKERS: '2',
  SHUTDOWN_GRACE_SECONDS: '1',
};

/** Starts a host with these settings. */
export type StartWordHost = (settings: HostSettings) => Promise<RunningHost>;

/** One process with its embedded database; its place may outlive it. */
export function startAlone(settings: HostSettings, place?: OriginPlace): Promise<RunningProcess> {
  return startOriginHost({ ...ORIGIN_SETTINGS, ...settings }, place);
}

/** Two origins on one Redis and one Postgres; each connection goes to another one. */
export const startCluster: StartWordHost = async (settings) => {
  const origins = await startOrigins(settings);
  const balancer = await startBalancer(origins.baseUrls, 'turns');
  return hostOf(balancer.baseUrl, origins, () => '', balancer.close);
};

/** An edge on workerd, which hands on to two such origins. */
export const startEdgeWithOrigins: StartWordHost = async (settings) => {
  const origins = await startOrigins(settings);
  const edge = await startEdgeHost({
    ...settings,
    INTERNAL_API_KEY: INTERNAL_KEY,
    ORIGIN_URL: origins.baseUrls.join(','),
  });
  return hostOf(edge.baseUrl, origins, edge.logs, edge.close);
};

interface Origins {
  readonly baseUrls: readonly string[];
  logs(): string;
  close(): Promise<void>;
}

async function startOrigins(settings: HostSettings): Promise<Origins> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  const all = { ...settings, REDIS_URL: redis.url, DATABASE_URL: await postgres.createDatabase() };
  const hosts = await Promise.all([startAlone(all), startAlone(all)]);
  return {
    baseUrls: hosts.map(({ baseUrl }) => baseUrl),
    logs: () => hosts.map((host) => host.logs()).join(''),
    async close() {
      await Promise.all(hosts.map((host) => host.close()));
      await Promise.all([redis.stop(), postgres.stop()]);
    },
  };
}

function hostOf(
  baseUrl: string,
  origins: Origins,
  frontLogs: () => string,
  closeFront: () => Promise<void>,
): RunningHost {
  const end = async () => {
    await closeFront();
    await origins.close();
  };
  return { baseUrl, logs: () => frontLogs() + origins.logs(), close: end, kill: end };
}
