/** What a cluster without `DATABASE_URL` has for a database. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Database } from './database.ts';

const MISSING =
  'This needs a database: origins that share a Redis also share a Postgres. Set DATABASE_URL.';

const refuse = async (): Promise<never> => {
  throw new GatewayError('unavailable', MISSING);
};

/** Refuses everything, and says what to set. */
export const noDatabase: Database = {
  use: refuse,
  transaction: refuse,
  hasVectors: refuse,
  look: () => ({ kind: 'none', state: 'closed' }),
  close: async () => undefined,
};
