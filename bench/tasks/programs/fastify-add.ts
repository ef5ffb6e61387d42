/** The least HTTP in front of BullMQ: one route, which adds a job and says which. */

import type { AddressInfo } from 'node:net';
import { setting } from '../messages.ts';
import { fastify, Queue } from '../origin-packages.ts';

const queue = new Queue('bench-fastify', {
  connection: { host: '127.0.0.1', port: Number(setting('REDIS_PORT')) },
});
const app = fastify();
app.post('/tasks', async (request, reply) => {
  const job = await queue.add('bench', request.body);
  return reply.code(202).send({ task_id: job.id, status: 'queued', type: 'bench' });
});

await queue.waitUntilReady();
await app.listen({ host: '127.0.0.1', port: 0 });
const { port } = app.server.address() as AddressInfo;
for (const event of ['disconnect', 'SIGTERM'] as const) process.on(event, () => process.exit());
process.send?.({ url: `http://127.0.0.1:${port}/tasks` });
