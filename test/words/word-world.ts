/** A host of text services with a scripted vendor behind it. */

import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import type { HostSettings, RunningHost } from '../hosts/host.ts';
import { worldSettings } from '../hosts/world.ts';
import { type TaskCaller, taskCaller } from '../tasks/task-caller.ts';
import { mindOf } from './scripted-mind.ts';
import type { StartWordHost } from './word-hosts.ts';

/** Small, so that a document beyond it is sent before anybody hangs up. */
export const MAX_DOCUMENT_BYTES = 128 * 1024;

/** What is around a host. */
export interface WordSurroundings {
  readonly vendor: ScriptedVendor;
  /** What a host is set to for it. */
  readonly settings: HostSettings;
  close(): Promise<void>;
}

/** A running world. */
export interface WordWorld extends WordSurroundings {
  readonly host: RunningHost;
  /** Somebody who asks the host. */
  caller(subject: string): Promise<TaskCaller>;
}

/** Starts the vendor. */
export async function startWordSurroundings(): Promise<WordSurroundings> {
  const vendor = await startScriptedVendor({ mind: mindOf });
  return {
    vendor,
    settings: {
      ...worldSettings(vendor),
      DEFAULT_MODEL: 'gpt-4.1',
      RATE_LIMIT_PER_MINUTE: '600',
      MAX_DOCUMENT_BYTES: String(MAX_DOCUMENT_BYTES),
    },
    close: () => vendor.close(),
  };
}

/** Starts the world around a host. */
export async function startWordWorld(startHost: StartWordHost): Promise<WordWorld> {
  const around = await startWordSurroundings();
  const host = await startHost(around.settings);
  return {
    ...around,
    host,
    caller: (subject) => taskCaller(host.baseUrl, subject),
    async close() {
      await host.close();
      await around.close();
    },
  };
}
