import { describeWithRedis } from '../../origin/src/testing/describe-with-redis.ts';
import { startRedis } from '../../origin/src/testing/redis-server.ts';
import { describeTaskChaos } from './chaos.ts';
import { startTaskNode, type TaskNode } from './task-node.ts';

describeWithRedis('chaos of a cluster', () => {
  describeTaskChaos('cluster', 20_261_122, async (settings) => {
    const redis = await startRedis();
    const all = { ...settings, REDIS_URL: redis.url };
    let nodes: readonly TaskNode[] = await Promise.all([startTaskNode(all), startTaskNode(all)]);
    return {
      live: () => nodes,
      async replace() {
        const [doomed, ...others] = nodes;
        nodes = others;
        await doomed?.kill();
        nodes = [...others, await startTaskNode(all)];
      },
      async close() {
        await Promise.all(nodes.map((node) => node.close()));
        await redis.stop();
      },
    };
  });
});
