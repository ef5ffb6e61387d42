import { startOriginHost } from '../hosts/origin-host.ts';
import { describeFaults } from './faults.ts';

describeFaults('origin alone', startOriginHost);
