/** The sessions of a process that serves none, because its `ROLE` is `worker`. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { SessionRegistry } from './session-registry.ts';

/** No route of such a process asks for one. */
export const noSessions: SessionRegistry = {
  async create() {
    throw new GatewayError(
      'unavailable',
      'This process has the ROLE worker, and opens no streams.',
    );
  },
  async get() {
    return undefined;
  },
  async close() {},
};
