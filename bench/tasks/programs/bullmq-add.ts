/** The least that takes a task: jobs added to BullMQ, in one process. */

import { inLanes } from '../in-lanes.ts';
import { type AddJob, serve, setting, type Timed } from '../messages.ts';
import { Queue } from '../origin-packages.ts';

const queue = new Queue('bench-add', {
  connection: { host: '127.0.0.1', port: Number(setting('REDIS_PORT')) },
});
const data = { echo: 'bench' };
await queue.waitUntilReady();

async function add({ jobs, atOnce, concurrency }: AddJob): Promise<Timed> {
  const startedMs = performance.now();
  await inLanes(jobs / atOnce, concurrency, async () => {
    if (atOnce === 1) await queue.add('bench', data);
    else await queue.addBulk(Array.from({ length: atOnce }, () => ({ name: 'bench', data })));
  });
  return { wallMs: performance.now() - startedMs, failures: [] };
}

serve<AddJob>(add);
process.send?.('ready');
