/** The ways in which a file comes in. */

import { fileValueSchema, requestFaults } from '@headwater/shared/protocol/tasks';
import { isLongText, type LongText } from './long-text.ts';
import type { SpooledFile } from './spool.ts';

/** Where the bytes of a file are. */
export type FileSource =
  /** By reference: `https:`, `s3:`. */
  | { readonly type: 'url' | 's3'; readonly reference: string }
  /** By value: base64, with or without the head of a `data:` URL. */
  | { readonly type: 'text'; readonly text: string | LongText }
  /** As a part of a form, which is written already. */
  | { readonly type: 'spooled'; readonly file: SpooledFile };

/**
 * Reads a file as JSON, or the text of a form, has it: base64, `data:`, `https:` or `s3:` as a
 * string, or as `{ url }`, `{ data }` or `{ s3 }`. Errors: `validation_failed` that names `field`.
 */
export function readFileSource(value: unknown, field: string): FileSource {
  if (isLongText(value)) return { type: 'text', text: value };
  if (typeof value === 'object' && value !== null && 'data' in value && isLongText(value.data)) {
    // Checked as it would be with a short one.
    readFileSource({ ...value, data: 'AAAA' }, field);
    return { type: 'text', text: value.data };
  }
  const read = fileValueSchema.safeParse(value);
  if (!read.success) {
    throw fault(field, 'is neither base64, a URL, nor an object with one of url, data and s3.');
  }
  const { data } = read;
  if (typeof data === 'string') return readString(data, field);
  if ('data' in data) return readString(data.data, field, 'data');
  if ('s3' in data) return readString(data.s3, field, 's3');
  return readString(data.url, field, 'url');
}

/** `only`: what it has to be, by the name of its member. */
function readString(value: string, field: string, only?: 'url' | 'data' | 's3'): FileSource {
  // Base64 has no colon.
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(value)?.[1]?.toLowerCase();
  if (scheme === 's3' && only !== 'data') return { type: 's3', reference: value };
  if ((scheme === 'https' || scheme === 'http') && (only ?? 'url') === 'url') {
    return { type: 'url', reference: value };
  }
  const isText = scheme === 'data' || (scheme === undefined && (only ?? 'data') === 'data');
  if (isText && only !== 's3') return { type: 'text', text: value };
  throw fault(field, 'is neither base64 nor a URL of data:, https: or s3:.');
}

function fault(path: string, message: string) {
  return requestFaults([{ path, message }]);
}
