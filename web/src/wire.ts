/** What the page reads from the gateway's JSON: narrow, tolerant, no field taken on trust. */

/** Why a request or a stream failed, in the gateway's own words. */
export interface Fault {
  /** A code of the gateway's error table, or `unreachable` when no answer came at all. */
  readonly code: string;
  readonly message: string;
  readonly requestId?: string;
  /** What is wrong with which field, a sentence each. */
  readonly fields?: readonly string[];
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

/** The objects of a list; anything that is no list becomes an empty one. */
export function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** Reads `{ code, message, … }`; what lacks a message says `fallback` instead. */
export function faultOf(value: unknown, fallback: string): Fault {
  const { code, message, requestId, details } = fieldsOf(value);
  const id = textOf(requestId);
  const fields = listOf(fieldsOf(details)['fields']).map(
    ({ path, message: words }) => `${textOf(path) ?? 'body'}: ${textOf(words) ?? 'is wrong.'}`,
  );
  return {
    code: textOf(code) ?? 'processing_failed',
    message: textOf(message) ?? fallback,
    ...(id === undefined ? {} : { requestId: id }),
    ...(fields.length === 0 ? {} : { fields }),
  };
}

/** No answer came at all: fetch says no more than "failed", the browser keeps the reason to itself. */
export const UNREACHABLE: Fault = {
  code: 'unreachable',
  message: 'The gateway did not answer. Check that it is running and try again.',
};

/** What a refusal says; one whose body breaks off says its status. Never rejects. */
export async function faultIn(response: Response): Promise<Fault> {
  const { error } = fieldsOf(parseJson(await response.text().catch(() => '')));
  return faultOf(error, `The gateway answered ${response.status}.`);
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
    if (!response.ok) return { ok: false, fault: await faultIn(response) };
    return { ok: true, value: parseJson(await response.text()) };
  } catch {
    return { ok: false, fault: UNREACHABLE };
  }
}
