import { setTimeout as sleep } from 'node:timers/promises';

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

/** Asks `url` until there is an answer, whatever it says. Rejects after 30 s and on `stop`. */
export async function waitForAnswer(url: string, stop: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(READY_TIMEOUT_MS)]);
  for (;;) {
    try {
      const response = await fetch(url, { signal });
      await response.body?.cancel();
      return;
    } catch (cause) {
      // Nobody listens yet.
      if (signal.aborted) throw new Error(`${url} gave no answer.`, { cause });
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}
