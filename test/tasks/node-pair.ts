/** Nodes on one Redis, which tests may kill one by one. */

import { type RedisServer, startRedis } from '../../origin/src/testing/redis-server.ts';
import type { HostSettings } from '../hosts/host.ts';
import { type TaskCaller, taskCaller } from './task-caller.ts';
import { startTaskNode, type TaskNode } from './task-node.ts';
import { type Surroundings, startSurroundings } from './task-world.ts';

/** Nodes, and what is around them. */
export interface NodePair extends Surroundings {
  readonly redis: RedisServer;
  readonly nodes: readonly [TaskNode, TaskNode];
  /** Starts another node on the same Redis. */
  start(settings?: HostSettings): Promise<TaskNode>;
  /** The same subject at each of these nodes. */
  callersAt(
    subject: string,
    nodes?: readonly TaskNode[],
  ): Promise<readonly [TaskCaller, TaskCaller]>;
}

/** Runs a test with two nodes; `settings` of each. Whatever it leaves is ended. */
export async function withNodes(
  settings: readonly [HostSettings, HostSettings],
  test: (pair: NodePair) => Promise<void>,
): Promise<void> {
  const around = await startSurroundings();
  // What it has acknowledged outlives its own kill -9, as on any cluster that must lose nothing.
  const redis = await startRedis(['--appendonly', 'yes']);
  const started: TaskNode[] = [];
  const start = async (own: HostSettings = {}): Promise<TaskNode> => {
    const node = await startTaskNode({ ...around.settings, REDIS_URL: redis.url, ...own });
    started.push(node);
    return node;
  };
  try {
    const nodes = await Promise.all([start(settings[0]), start(settings[1])]);
    const callersAt: NodePair['callersAt'] = async (subject, at = nodes) => {
      const [a = nodes[0], b = nodes[1]] = at;
      return [await taskCaller(a.baseUrl, subject), await taskCaller(b.baseUrl, subject)];
    };
    await test({ ...around, redis, nodes, start, callersAt });
  } finally {
    await Promise.all(started.map((node) => node.close()));
    await redis.stop();
    await around.close();
  }
}
