/** Says once that something is away, and once that it is back. */

import type { Logger } from '../stream/ports.ts';

/** An outage, as one who depends on it sees it. */
export interface Outage {
  /** A call failed. */
  failed(err: unknown): void;
  /** A call came through. */
  worked(): void;
}

/** `away` and `back` are the two log lines. */
export function createOutage(logger: Logger, away: string, back: string): Outage {
  let isOn = false;
  return {
    failed(err) {
      if (!isOn) logger.error({ err }, away);
      isOn = true;
    },
    worked() {
      if (isOn) logger.info({}, back);
      isOn = false;
    },
  };
}

/** An outage of the task store, for `who` uses it: `task worker`. */
export function createStoreOutage(logger: Logger, who: string): Outage {
  return createOutage(
    logger,
    `${who}: the task store refuses, and is asked again`,
    `${who}: the task store is back`,
  );
}
