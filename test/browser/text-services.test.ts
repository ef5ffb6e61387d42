import { rm } from 'node:fs/promises';
import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { startEdgeHost } from '../hosts/edge-host.ts';
import { TEST_SECRET } from '../hosts/gateway-client.ts';
import type { RunningHost } from '../hosts/host.ts';
import {
  makeOriginPlaceWithDatabase,
  type OriginPlace,
  startOriginHost,
} from '../hosts/origin-host.ts';
import { mindOf } from '../words/scripted-mind.ts';
import { startCuttingLine } from './cutting-line.ts';
import { describeTextServices } from './text-services.ts';

const INTERNAL_API_KEY = 'internal-key-of-edge-and-origin-0123456789';

type Settings = Parameters<typeof startOriginHost>[0];

/** Puts the vendor behind a host, and a line that can be cut in front of it. */
function startWith(
  startHost: (settings: Settings, place: OriginPlace) => Promise<readonly RunningHost[]>,
) {
  return async () => {
    const vendor = await startScriptedVendor({ mind: mindOf });
    const place = await makeOriginPlaceWithDatabase();
    const settings = {
      JWT_SECRET: TEST_SECRET,
      DEV_MODE: 'true',
      INTERNAL_API_KEY,
      OPENAI_API_KEY: 'sk-scripted',
      OPENAI_BASE_URL: vendor.openaiBaseUrl,
    };
    const hosts = await startHost(settings, place);
    const baseUrl = hosts[0]?.baseUrl ?? '';
    // Opening an embedded database takes a moment, which no answer should wait for here; an edge
    // would give up on it before a busy machine is done.
    await (await fetch(`${hosts.at(-1)?.baseUrl}/ai/chat`)).text();
    const line = await startCuttingLine(baseUrl);
    return {
      ...line,
      async close() {
        await line.close();
        for (const host of hosts) await host.close();
        await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
        await vendor.close();
      },
    };
  };
}

describeTextServices(
  'an origin',
  startWith(async (settings, place) => [await startOriginHost(settings, place)]),
);
describeTextServices(
  'an edge with an origin',
  startWith(async (settings, place) => {
    const origin = await startOriginHost(settings, place);
    const edge = await startEdgeHost({ ...settings, ORIGIN_URL: origin.baseUrl });
    return [edge, origin];
  }),
);
