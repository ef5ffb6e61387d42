import { describeTaskStore } from '../testing/task-store-contract.ts';
import { createMemoryTaskStore } from './memory-task-store.ts';

describeTaskStore('memory', (test) => {
  const store = createMemoryTaskStore();
  return test({ store, other: () => store });
});
