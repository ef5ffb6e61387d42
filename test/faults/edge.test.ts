import { startEdgeHost } from '../hosts/edge-host.ts';
import { describeFaults } from './faults.ts';

describeFaults('edge', startEdgeHost);
