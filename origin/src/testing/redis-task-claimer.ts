/**
 * A process that claims tasks and ends them until it is killed. Arguments: the URL of Redis, its name
 * as a node. It prints the id of each task whose end is kept.
 */

import { stepTask } from '@headwater/shared/tasks/task-machine';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { connectRedis } from '../adapters/redis-connection.ts';
import { createRedisTaskStore } from '../adapters/redis-task-store.ts';

const [, , url = '', node = ''] = process.argv;
const redis = connectRedis(url, () => undefined);
const store = createRedisTaskStore({ redis, retentionMs: 60_000, logger: createSilentLogger() });

for (;;) {
  const nowMs = Date.now();
  await store.beat(node, nowMs + 5_000);
  for (const record of await store.claim('t', node, 3, nowMs)) {
    const started = stepTask(record, { type: 'start', node }, nowMs, 0);
    if (started === undefined) continue;
    await store.commit([started], node);
    const running = { spec: record.spec, state: started.state };
    const ended = stepTask(running, { type: 'succeed', result: node }, nowMs, 0);
    if (ended === undefined) continue;
    const [isMade] = await store.commit([ended], node);
    if (isMade) process.stdout.write(`${record.spec.id}\n`);
  }
}
