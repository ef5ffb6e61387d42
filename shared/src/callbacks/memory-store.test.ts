import { describeOutboxStoreContract } from '../testing/outbox-store-contract.ts';
import { createMemoryOutboxStore } from './memory-store.ts';

describeOutboxStoreContract('memory', (test) => test({ store: createMemoryOutboxStore() }), {
  durable: false,
});
