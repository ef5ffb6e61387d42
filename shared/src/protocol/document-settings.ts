/** What an origin does with documents, as settings. */

import type * as z from 'zod';
import { wholeNumber } from './setting-types.ts';

const MIB = 1024 * 1024;

/** Schema of the settings. */
export const DOCUMENT_SETTINGS = {
  MAX_DOCUMENT_BYTES: wholeNumber(1024, 256 * MIB).optional(),
  MAX_DOCUMENT_READERS: wholeNumber(1, 64).optional(),
};

/** The settings, parsed. */
export interface DocumentSettings {
  /** Of one file. Default 20 MiB. Beyond: `payload_too_large`. */
  readonly maxBytes: number;
  /** Documents that are read at a time, each in a process of its own. Default 2. */
  readonly maxReaders: number;
}

/** Fills in the defaults. */
export function readDocumentSettings(
  read: Partial<z.output<z.ZodObject<typeof DOCUMENT_SETTINGS>>>,
): DocumentSettings {
  return {
    maxBytes: read.MAX_DOCUMENT_BYTES ?? 20 * MIB,
    maxReaders: read.MAX_DOCUMENT_READERS ?? 2,
  };
}
