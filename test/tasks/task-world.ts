/** A host of tasks with everything around it. */

import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { type CallbackReceiver, startCallbackReceiver } from '../hosts/callback-receiver.ts';
import type { HostSettings } from '../hosts/host.ts';
import { worldSettings } from '../hosts/world.ts';
import { type TaskCaller, taskCaller } from './task-caller.ts';
import type { StartTaskHost, TaskHost } from './task-hosts.ts';

/** What is around a host. */
export interface Surroundings {
  readonly vendor: ScriptedVendor;
  readonly receiver: CallbackReceiver;
  /** What a host is set to for them. */
  readonly settings: HostSettings;
  close(): Promise<void>;
}

/** A running world. */
export interface TaskWorld extends Surroundings {
  readonly host: TaskHost;
  /** A caller of the host. */
  caller(subject: string): Promise<TaskCaller>;
}

/** Starts vendors and a receiver of callbacks. */
export async function startSurroundings(): Promise<Surroundings> {
  const vendor = await startScriptedVendor();
  const receiver = await startCallbackReceiver();
  return {
    vendor,
    receiver,
    settings: worldSettings(vendor),
    async close() {
      await receiver.close();
      await vendor.close();
    },
  };
}

/** Starts the world around a host. */
export async function startTaskWorld(startHost: StartTaskHost): Promise<TaskWorld> {
  const around = await startSurroundings();
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
