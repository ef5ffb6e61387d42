/**
 * The scripted vendor as a process of its own, so that its CPU is nobody else's. Sends its URL to
 * the parent and ends with it.
 */

import { subscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';

/**
 * Longer than any pause of a run, in ms. Node's own 5 s is workerd's too: both ends would close an
 * idle connection in the same moment, now and then with a request on its way.
 */
const KEEP_ALIVE_MS = 300_000;

subscribe('http.server.request.start', (message) => {
  (message as { server: Server }).server.keepAliveTimeout = KEEP_ALIVE_MS;
});
process.on('disconnect', () => process.exit());
const vendor = await startScriptedVendor({ record: false });
process.send?.({ url: vendor.url });
