/** A BullMQ worker as the documentation has it, which holds the job that it gets for ever. */

import { setting } from '../messages.ts';
import { Queue, Worker } from '../origin-packages.ts';

const connection = { host: '127.0.0.1', port: Number(setting('REDIS_PORT')) };
const queue = new Queue('bench-hold', { connection });
const worker = new Worker(
  'bench-hold',
  () => {
    process.send?.({ beganMs: Date.now() });
    return new Promise(() => undefined);
  },
  { connection },
);
worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
await worker.waitUntilReady();

for (const event of ['disconnect', 'SIGTERM'] as const) process.on(event, () => process.exit());
process.on('message', () => void queue.add('bench', {}));
process.send?.('ready');
