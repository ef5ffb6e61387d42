/** Settings that every vendor with a key takes. */

/** How to reach a vendor. */
export interface VendorSettings {
  readonly apiKey: string;
  /** Default: the vendor's own address. */
  readonly baseUrl?: string | undefined;
  /** Longest wait for the headers, and for each next byte after them. Default {@link DEFAULT_TIMEOUT_MS}. */
  readonly timeoutMs?: number | undefined;
  /** Attempts after the first, made by the vendor's SDK before any byte of the answer. Default 0. */
  readonly maxRetries?: number | undefined;
  /** Default: the platform's `fetch`. */
  readonly fetch?: typeof fetch | undefined;
}

/** One minute: the reasoning models of both vendors may think that long before a first token. */
export const DEFAULT_TIMEOUT_MS = 60_000;
