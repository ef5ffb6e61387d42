import { describeAlarmContract } from './alarm-contract.ts';
import { createVirtualClock } from './virtual-clock.ts';

describeAlarmContract('virtual clock', (test) => test(createVirtualClock()));
