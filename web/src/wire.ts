/** What the page reads from the gateway's JSON: narrow, tolerant, no field taken on trust. */

/** Why a request or a stream failed, in the gateway's own words. */
export interface Fault {
  /** A code of the gateway's error table, or `unreachable` when no answer came at all. */
  readonly code: string;
  readonly message: string;
  readonly requestId?: string;
}

/** A value or the fault that stands in its place. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault };

/** The part of `fetch` this page uses. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** An unknown value as a bag of unknown fields; anything that is no object becomes an empty one. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** A string that holds something, or undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A finite number, or undefined. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Reads `{ code, message, requestId? }`; what lacks a message says `fallback` instead. */
export function faultOf(value: unknown, fallback: string): Fault {
  const { code, message, requestId } = fieldsOf(value);
  const id = textOf(requestId);
  return {
    code: textOf(code) ?? 'processing_failed',
    message: textOf(message) ?? fallback,
    ...(id === undefined ? {} : { requestId: id }),
  };
}

/** Parses JSON text; text that is none becomes undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's HTML page or a cut body: callers treat it as an answer without any known field.
    return undefined;
  }
}

/**
 * Sends one request and reads its JSON. An HTTP error becomes the fault its body describes; no
 * answer at all becomes `unreachable`. Never rejects.
 */
export async function requestJson(
  fetch: Fetch,
  url: string,
  init?: RequestInit,
): Promise<Result<unknown>> {
  try {
    const response = await fetch(url, init);
    const body = parseJson(await response.text());
    if (response.ok) return { ok: true, value: body };
    const { error } = fieldsOf(body);
    return { ok: false, fault: faultOf(error, `The gateway answered ${response.status}.`) };
  } catch {
    // fetch says no more than "failed": the browser keeps the reason to itself.
    const message = 'The gateway did not answer. Check that it is running and try again.';
    return { ok: false, fault: { code: 'unreachable', message } };
  }
}
