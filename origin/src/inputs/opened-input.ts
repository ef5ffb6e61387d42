/** What an input by reference is, once its place was asked for it. */

/** A file on its way. */
export interface OpenedInput {
  /** What the other side says of its size; a hint alone. */
  readonly announcedBytes: number | undefined;
  /** The other side's `Content-Type`, where it has one; a hint as well. */
  readonly mediaType?: string | undefined;
  /** Its bytes, decoded. Errors: `upstream_failed`, `upstream_timeout`. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Lets go of the connection, however much was read. */
  cancel(): void;
}

/**
 * Asks for a file. Errors, which name `field` and never the reference: `validation_failed` or
 * `forbidden` for one that may not be asked for; `upstream_failed`; `upstream_timeout`, also when
 * the signal aborts.
 */
export type OpenInput = (
  reference: string,
  field: string,
  signal: AbortSignal,
) => Promise<OpenedInput>;
