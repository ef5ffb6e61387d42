import { describeStreamLogContract } from '../testing/stream-log-contract.ts';
import { createMemoryLog } from './memory-log.ts';

describeStreamLogContract('memory', (test) => test({ log: createMemoryLog() }), { durable: false });
