import { describeSessionStoreContract } from '../testing/session-store-contract.ts';
import { createMemoryStore } from './memory-store.ts';

describeSessionStoreContract('memory', (test) => test({ store: createMemoryStore() }), {
  durable: false,
});
