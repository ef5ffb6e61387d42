/** A bare BullMQ worker, with a processor that does nothing: in this process, or in children. */

import { fileURLToPath } from 'node:url';
import { readUsage } from '../../processes/usage.ts';
import { type Drained, type DrainJob, serve, setting } from '../messages.ts';
import { Queue, Worker } from '../origin-packages.ts';
import { countShares } from '../shares.ts';

/** Jobs of one `addBulk`. */
const ADDED_AT_ONCE = 500;

const PROCESSOR = fileURLToPath(new URL('./bullmq-processor.ts', import.meta.url));

interface Data {
  readonly owner: string;
}

/** A worker that waits, and its queue. */
function open(inChildren: boolean, concurrency: number) {
  const name = inChildren ? 'bench-children' : 'bench-drain';
  const connection = { host: '127.0.0.1', port: Number(setting('REDIS_PORT')) };
  const queue = new Queue<Data>(name, { connection });
  const processor = inChildren ? PROCESSOR : async () => undefined;
  const worker = new Worker<Data>(name, processor, { connection, concurrency });
  const failures: string[] = [];
  worker.on('error', (error) => failures.push(`BullMQ: ${error.message}`));
  worker.on('failed', (_job, error) => failures.push(`BullMQ: ${error.message}`));
  return { queue, worker, takeFailures: () => failures.splice(0) };
}

/** Children stay warm from one drain to the next. */
const opened = new Map<boolean, ReturnType<typeof open>>();

async function drain({ owners, concurrency, inChildren }: DrainJob): Promise<Drained> {
  const side = opened.get(inChildren) ?? open(inChildren, concurrency);
  opened.set(inChildren, side);
  const { queue, worker, takeFailures } = side;
  await worker.pause();
  for (let at = 0; at < owners.length; at += ADDED_AT_ONCE) {
    const some = owners.slice(at, at + ADDED_AT_ONCE);
    await queue.addBulk(some.map((owner) => ({ name: 'bench', data: { owner } })));
  }
  const count = countShares(owners);
  const over = Promise.withResolvers<void>();
  let left = owners.length;
  worker.on('active', ({ data }) => count.began(data.owner));
  worker.on('completed', ({ data }) => {
    count.finished(data.owner);
    left -= 1;
    if (left === 0) over.resolve();
  });
  const cpuMs = readUsage(process.pid).cpuMs;
  const startedMs = performance.now();
  worker.resume();
  await over.promise;
  const wallMs = performance.now() - startedMs;
  worker.removeAllListeners('active');
  worker.removeAllListeners('completed');
  return {
    wallMs,
    cpuMs: readUsage(process.pid).cpuMs - cpuMs,
    shares: count.shares,
    failures: takeFailures(),
  };
}

serve<DrainJob>(drain);
process.send?.('ready');
