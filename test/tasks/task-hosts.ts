/** Every way to run tasks that a caller may meet: one address each. */

import { connectRedis } from '../../origin/src/adapters/redis-connection.ts';
import { startRedis } from '../../origin/src/testing/redis-server.ts';
import { startBalancer } from '../cluster/balancer.ts';
import { startEdgeHost } from '../hosts/edge-host.ts';
import type { HostSettings, RunningHost } from '../hosts/host.ts';
import { INTERNAL_KEY, startTaskNode, type TaskNode } from './task-node.ts';

/** A host of tasks. */
export interface TaskHost extends RunningHost {
  readonly nodes: readonly TaskNode[];
  /** Files of tasks, kept and on their way, wherever the host has them. */
  filesLeft(): Promise<readonly string[]>;
}

/** Starts a host with these settings. */
export type StartTaskHost = (settings: HostSettings) => Promise<TaskHost>;

/** One process with its own database. */
export const startAlone: StartTaskHost = async (settings) => {
  const node = await startTaskNode(settings);
  return { ...node, nodes: [node], filesLeft: () => node.files() };
};

/** Two nodes on one Redis, each connection to another one. */
export const startCluster: StartTaskHost = async (settings) => {
  const nodes = await startNodes(settings);
  const balancer = await startBalancer(
    nodes.nodes.map(({ baseUrl }) => baseUrl),
    'turns',
  );
  return hostOf(balancer.baseUrl, nodes, () => '', balancer.close);
};

/** An edge on workerd, which hands on to two such nodes. */
export const startEdgeWithNodes: StartTaskHost = async (settings) => {
  const nodes = await startNodes(settings);
  const edge = await startEdgeHost({
    ...settings,
    INTERNAL_API_KEY: INTERNAL_KEY,
    ORIGIN_URL: nodes.nodes.map(({ baseUrl }) => baseUrl).join(','),
  });
  return hostOf(edge.baseUrl, nodes, edge.logs, edge.close);
};

interface Nodes {
  readonly nodes: readonly TaskNode[];
  filesLeft(): Promise<readonly string[]>;
  close(): Promise<void>;
}

async function startNodes(settings: HostSettings): Promise<Nodes> {
  const server = await startRedis();
  const all = { ...settings, REDIS_URL: server.url };
  const nodes = await Promise.all([startTaskNode(all), startTaskNode(all)]);
  const redis = connectRedis(server.url, () => undefined);
  return {
    nodes,
    async filesLeft() {
      const files = await Promise.all(nodes.map((node) => node.files()));
      return [...files.flat(), ...(await redis.keys('hw:blob:*'))];
    },
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
      redis.disconnect();
      await server.stop();
    },
  };
}

function hostOf(
  baseUrl: string,
  { nodes, filesLeft, close }: Nodes,
  frontLogs: () => string,
  closeFront: () => Promise<void>,
): TaskHost {
  const end = async () => {
    await closeFront();
    await close();
  };
  return {
    baseUrl,
    nodes,
    filesLeft,
    logs: () => frontLogs() + nodes.map((node) => node.logs()).join(''),
    close: end,
    kill: end,
  };
}
