import { makeEdgePlace, startEdgeHost } from '../hosts/edge-host.ts';
import { describeChaos } from './chaos.ts';

const place = await makeEdgePlace();
describeChaos('edge', 20_310_507, { start: (settings) => startEdgeHost(settings, place) });
