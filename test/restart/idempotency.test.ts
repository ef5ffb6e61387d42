/** A key that was used is known to a host that was killed and started again. */

import { rm } from 'node:fs/promises';
import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { scriptedAnswer, scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import { expect, it } from 'vitest';
import { startCallbackReceiver } from '../hosts/callback-receiver.ts';
import { makeEdgePlace, startEdgeHost } from '../hosts/edge-host.ts';
import { callerToken, postInit, readStream, textOf } from '../hosts/gateway-client.ts';
import type { HostSettings, RunningHost } from '../hosts/host.ts';
import { makeOriginPlace, startOriginHost } from '../hosts/origin-host.ts';
import { worldSettings } from '../hosts/world.ts';

/** Starts a host again and again in one place. */
type Start = (settings: HostSettings) => Promise<RunningHost>;

async function withEdge(use: (start: Start) => Promise<void>): Promise<void> {
  const place = await makeEdgePlace();
  try {
    await use((settings) => startEdgeHost(settings, place));
  } finally {
    await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function withOrigin(use: (start: Start) => Promise<void>): Promise<void> {
  const place = await makeOriginPlace();
  try {
    await use((settings) => startOriginHost(settings, place));
  } finally {
    await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

it.each([
  ['workerd', withEdge],
  ['the origin alone', withOrigin],
])(
  'IDEM-6, LIMIT-3: %s is killed, and knows its keys and its live streams',
  async (_name, withPlace) => {
    const vendor = await startScriptedVendor();
    const receiver = await startCallbackReceiver();
    const prompt = scriptedPrompt({ delayMs: 5 }, 'Only once.');
    const settings = {
      ...worldSettings(vendor),
      STREAM_TTL_SECONDS: '60',
      MAX_LIVE_STREAMS_PER_SUBJECT: '1',
    };
    const n8nToken = await callerToken('restart');
    const body = { n8nToken, prompt, resumeUrl: receiver.urlFor('restart') };
    const post = async (host: RunningHost, headers: Record<string, string> = {}) => {
      const response = await postInit(host.baseUrl, body, headers);
      return {
        status: response.status,
        replayed: response.headers.get('idempotent-replayed'),
        streamUrl: ((await response.json()) as { streamUrl?: string }).streamUrl,
      };
    };
    await withPlace(async (start) => {
      let host = await start(settings);
      try {
        const key = { 'idempotency-key': 'k' };
        const first = await post(host, key);
        expect(first.status).toBe(200);
        // Live streams are written once a second.
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        await host.kill();
        host = await start(settings);
        expect(await post(host, key)).toEqual({ ...first, replayed: 'true' });
        expect((await post(host)).status).toBe(429);
        const { events } = await readStream(first.streamUrl ?? '');
        expect(textOf(events)).toBe(scriptedAnswer(prompt));
        expect(vendor.countOf(prompt)).toBe(1);
        await receiver.attempt('restart');
        expect(receiver.received('restart')).toHaveLength(1);
      } finally {
        await host.close();
        await receiver.close();
        await vendor.close();
      }
    });
  },
  180_000,
);
