/** What every route that opens sessions needs of the origin. */

import { randomUUID } from 'node:crypto';
import type { SessionPorts } from '@headwater/shared/gateway/admit-session';
import type { OriginGateway } from '../gateway.ts';

/** Wires the ports. */
export function sessionPortsOf(gateway: OriginGateway): SessionPorts {
  const { settings, registry, sessions, ledger } = gateway;
  return {
    settings,
    registry,
    ledger,
    nowMs: Date.now,
    newStreamId: randomUUID,
    create: sessions.create,
  };
}
