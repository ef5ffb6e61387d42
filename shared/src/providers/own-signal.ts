/**
 * Keeps the signal of a request out of the vendors' SDKs. They join it with one of their own by weak
 * references, and what hangs on a signal so joined, here all of a stream, is kept through every small
 * garbage collection until the next full one: it is copied twice, and then marked and swept.
 */

type Fetch = typeof globalThis.fetch;

/** What {@link stoppedBy} adds to what a `fetch` is given. */
interface Stoppable extends RequestInit {
  readonly stop?: AbortSignal;
}

/** An SDK's options of one request, whose `fetch` is stopped when `stop` aborts. */
export function stoppedBy(stop: AbortSignal): { readonly fetchOptions: object } {
  return { fetchOptions: { stop } satisfies Stoppable };
}

/** The `fetch` to give to an SDK whose requests are made with {@link stoppedBy}. Default the platform's. */
export function withOwnSignal(
  fetch: Fetch = (input, init) => globalThis.fetch(input, init),
): Fetch {
  return (input, init: Stoppable = {}) => {
    const { stop, ...rest } = init;
    return fetch(input, stop === undefined ? rest : { ...rest, signal: stop });
  };
}
