/** A session store in memory, for an origin without Redis. */

import type { SessionStore } from './ports.ts';
import type { SessionState } from './session-state.ts';

/** Makes an empty store. States are immutable, so keeping the reference is keeping the value. */
export function createMemoryStore(): SessionStore {
  let kept: SessionState | undefined;
  return {
    save(state) {
      kept = state;
    },
    load: () => kept,
    drop() {
      kept = undefined;
    },
  };
}
