import { makeEdgePlace, startEdgeHost } from '../hosts/edge-host.ts';
import { describeRestart } from './restart.ts';

const place = await makeEdgePlace();
describeRestart('workerd', (settings) => startEdgeHost(settings, place));
