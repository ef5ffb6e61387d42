import { expect, it } from 'vitest';
import { describeWithRedis } from '../../origin/src/testing/describe-with-redis.ts';
import { describeTaskApi } from './task-api.ts';
import { startEdgeWithNodes } from './task-hosts.ts';
import type { TaskWorld } from './task-world.ts';

function describeFailover(world: () => TaskWorld): void {
  it('EDGE-22, QUEUE-22: kill -9 of one origin: callers of the edge notice nothing, and lose nothing', async () => {
    const caller = await world().caller('fails-over');
    const before = await Promise.all(
      Array.from({ length: 8 }, (_, n) => caller.accept({ sleepMs: 500, echo: n })),
    );
    await world().host.nodes[0]?.kill();
    const after = await Promise.all(
      Array.from({ length: 8 }, (_, n) => caller.accept({ echo: 8 + n })),
    );
    const ids = [...before, ...after];
    expect(new Set(ids).size).toBe(16);
    for (const [n, id] of ids.entries()) {
      expect(await caller.ended(id)).toMatchObject({ status: 'succeeded', result: { echo: n } });
    }
  });
}

describeWithRedis('tasks through the edge', () => {
  describeTaskApi('an edge in front of two origins', startEdgeWithNodes, describeFailover);
});
