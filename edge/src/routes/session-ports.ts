/** What every route that opens sessions needs of the edge. */

import type { SessionPorts } from '@headwater/shared/gateway/admit-session';
import { createObjectSubjectLedger } from '../adapters/object-subject-ledger.ts';
import type { Env } from '../env.ts';
import type { EdgeGateway } from '../gateway.ts';

/** Wires the ports. */
export function sessionPortsOf(env: Env, gateway: EdgeGateway): SessionPorts {
  const { SESSIONS, SUBJECTS } = env;
  return {
    settings: gateway.settings,
    registry: gateway.registry,
    ledger: createObjectSubjectLedger(SUBJECTS),
    nowMs: Date.now,
    // Random ids skip the world-wide uniqueness check that a name's first use pays.
    newStreamId: () => SESSIONS.newUniqueId().toString(),
    create: (state) => SESSIONS.get(SESSIONS.idFromString(state.request.streamId)).open(state),
  };
}
