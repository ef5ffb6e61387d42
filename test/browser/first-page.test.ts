import { startEdgeHost } from '../hosts/edge-host.ts';
import { TEST_SECRET } from '../hosts/gateway-client.ts';
import { startOriginHost } from '../hosts/origin-host.ts';
import { describeFirstPage } from './first-page.ts';

const settings = { JWT_SECRET: TEST_SECRET, DEV_MODE: 'true' };

describeFirstPage('origin', () => startOriginHost(settings), /^Simulation only.*OPENAI_API_KEY/);
describeFirstPage('edge', () => startEdgeHost(settings), /^Not available here.*ORIGIN_URL/);
