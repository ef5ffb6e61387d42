/** How an edge tells an origin whom it has authenticated. */

/** Names the caller, as percent-encoded UTF-8; counts only beside the `INTERNAL_API_KEY`. */
export const SUBJECT_HEADER = 'x-headwater-subject';

/**
 * Scheme and host that the caller reached the edge by, without a slash at the end: the base of URLs
 * in the answer. Counts as {@link SUBJECT_HEADER} does.
 */
export const BASE_URL_HEADER = 'x-headwater-base-url';

/** Printable ASCII, without the space. */
const ENCODED = /^[!-~]{1,255}$/;

/** The header's value for a subject; `undefined` where it would be too long or hold a control character. */
export function encodeSubject(subject: string): string | undefined {
  // Half a surrogate pair has no UTF-8.
  if (!subject.isWellFormed()) return undefined;
  const encoded = encodeURIComponent(subject);
  return decodeSubject(encoded) === undefined ? undefined : encoded;
}

/** The subject in a header's value; `undefined` for what {@link encodeSubject} cannot have written. */
export function decodeSubject(text: string): string | undefined {
  if (!ENCODED.test(text)) return undefined;
  try {
    const subject = decodeURIComponent(text);
    return /\p{Cc}/u.test(subject) ? undefined : subject;
  } catch {
    // No UTF-8, or half an escape: whoever sent it is told so.
    return undefined;
  }
}
