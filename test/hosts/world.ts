/** A host with everything around it: scripted vendors and a receiver of callbacks. */

import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { type CallbackReceiver, startCallbackReceiver } from './callback-receiver.ts';
import { TEST_SECRET } from './gateway-client.ts';
import type { HostSettings, RunningHost } from './host.ts';

/** Page that may call the host under test. */
export const ALLOWED_PAGE = 'https://app.example.com';

/** Keys that must never show in a log. */
export const VENDOR_KEYS = { openai: 'sk-canary-openai', anthropic: 'sk-canary-anthropic' };

/** A running world. */
export interface World {
  readonly host: RunningHost;
  readonly vendor: ScriptedVendor;
  readonly receiver: CallbackReceiver;
  close(): Promise<void>;
}

/** Production settings, but for the vendors' addresses and a receiver on loopback. */
export function worldSettings(vendor: ScriptedVendor): HostSettings {
  return {
    JWT_SECRET: TEST_SECRET,
    ALLOWED_ORIGINS: ALLOWED_PAGE,
    CALLBACK_ALLOWED_HOSTS: '127.0.0.1',
    STREAM_TTL_SECONDS: '3',
    DISCONNECT_GRACE_SECONDS: '1',
    // One test's broken vendor must not be the next one's.
    UPSTREAM_BREAKER_FAILURES: '0',
    OPENAI_API_KEY: VENDOR_KEYS.openai,
    OPENAI_BASE_URL: vendor.openaiBaseUrl,
    ANTHROPIC_API_KEY: VENDOR_KEYS.anthropic,
    ANTHROPIC_BASE_URL: vendor.anthropicBaseUrl,
  };
}

/** Starts the world around a host. */
export async function startWorld(
  startHost: (settings: HostSettings) => Promise<RunningHost>,
): Promise<World> {
  const vendor = await startScriptedVendor();
  const receiver = await startCallbackReceiver();
  const host = await startHost(worldSettings(vendor));
  return {
    host,
    vendor,
    receiver,
    async close() {
      await host.close();
      await receiver.close();
      await vendor.close();
    },
  };
}
