import { makeOriginPlace, startOriginHost } from '../hosts/origin-host.ts';
import { describeRestart } from './restart.ts';

const place = await makeOriginPlace();
describeRestart('the origin', (settings) => startOriginHost(settings, place));
