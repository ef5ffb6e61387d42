/** What every `TaskStore` must do. */

import { describe, it } from 'vitest';
import { TASK_TIME_MS } from './task-fixtures.ts';
import { testAfterwards } from './task-store/afterwards.ts';
import { testChanges } from './task-store/changes.ts';
import { testCheckpoints } from './task-store/checkpoints.ts';
import { testEvents } from './task-store/events.ts';
import { testNodes } from './task-store/nodes.ts';
import { testOrder } from './task-store/order.ts';
import { testRefusals } from './task-store/refusals.ts';
import { testRestart } from './task-store/restart.ts';
import { LIFE_MS, NODE, type StoreTest, type WithTaskStore } from './task-store/store-test.ts';
import { testSubmissions } from './task-store/submissions.ts';

/** What a store promises beyond the port. */
export interface TaskStorePromises {
  /** It survives the process that holds it. */
  readonly durable?: boolean;
}

/** Declares the suite. */
export function describeTaskStore(
  name: string,
  withStore: WithTaskStore,
  { durable = false }: TaskStorePromises = {},
): void {
  const test: StoreTest = (title, body) =>
    it(title, () =>
      withStore(async (subject) => {
        await subject.store.beat(NODE, TASK_TIME_MS + LIFE_MS);
        await body(subject.store, subject);
      }),
    );

  describe(`task store: ${name}`, () => {
    testSubmissions(test);
    testRefusals(test);
    testOrder(test);
    testChanges(test);
    testEvents(test);
    testCheckpoints(test);
    testNodes(test);
    testAfterwards(test);
    if (durable) testRestart(test);
  });
}
