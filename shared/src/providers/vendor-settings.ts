/** Settings that every vendor with a key takes. */

import type { VendorTimeouts } from '../protocol/upstream-settings.ts';

/** How to reach a vendor. */
export interface VendorSettings {
  readonly apiKey: string;
  /** Default: the vendor's own address. */
  readonly baseUrl?: string | undefined;
  /** Default {@link DEFAULT_TIMEOUTS}. */
  readonly timeouts?: VendorTimeouts | undefined;
  /** Default: the platform's `fetch`. */
  readonly fetch?: typeof fetch | undefined;
}
