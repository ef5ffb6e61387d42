import { rm } from 'node:fs/promises';
import { makeOriginPlace } from '../hosts/origin-host.ts';
import { describeTaskChaos } from './chaos.ts';
import { startTaskNode } from './task-node.ts';

describeTaskChaos('origin alone', 20_261_121, async (settings) => {
  const place = await makeOriginPlace();
  let node = await startTaskNode(settings, place);
  return {
    live: () => [node],
    async replace() {
      await node.kill();
      node = await startTaskNode(settings, place);
    },
    async close() {
      await node.close();
      await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
});
