import { makeOriginPlace, startOriginHost } from '../hosts/origin-host.ts';
import { describeChaos } from './chaos.ts';

const place = await makeOriginPlace();
describeChaos('origin alone', 20_310_506, {
  start: (settings) => startOriginHost(settings, place),
});
