/** A scripted vendor without a network: a `fetch` that answers from a play. Runs on every host. */

import type { VendorPlay } from './play.ts';
import {
  countPrompts,
  createPlayChooser,
  type RecordedRequest,
  type ScriptedVendor,
} from './scripted-requests.ts';

export interface ScriptedFetchOptions {
  /** Default: the platform's timers. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** The vendor's `fetch` field is the only way to reach it: its URLs lead nowhere. */
export function createScriptedFetch(
  options: ScriptedFetchOptions = {},
): ScriptedVendor & { readonly fetch: typeof fetch } {
  const sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  const requests: RecordedRequest[] = [];
  const choose = createPlayChooser();
  const url = 'http://vendor.invalid';

  const scriptedFetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const recorded = await record(request);
    requests.push(recorded);
    const play = choose(recorded);
    if (play.firstDelayMs > 0)
      await Promise.race([sleep(play.firstDelayMs), abortOf(request.signal)]);
    if (request.signal.aborted) {
      recorded.aborted = true;
      throw request.signal.reason;
    }
    if (play.end === 'refuse') throw new TypeError('fetch failed');
    const { status, headers } = play;
    return new Response(toBody(play, recorded, request.signal, sleep), { status, headers });
  };

  return {
    url,
    openaiBaseUrl: `${url}/v1`,
    azureEndpoint: url,
    anthropicBaseUrl: url,
    ollamaHost: `${url}:80`,
    requests,
    countOf: (prompt) => countPrompts(requests, prompt),
    fetch: scriptedFetch,
    close: async () => undefined,
  };
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function record(request: Request): Promise<RecordedRequest> {
  const text = await request.text();
  const { pathname, searchParams } = new URL(request.url);
  return {
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(request.headers),
    body: text === '' ? undefined : JSON.parse(text),
    aborted: false,
  };
}

/** One pull is one write. A hanging body stays open until it is cancelled or the request aborted. */
function toBody(
  play: VendorPlay,
  recorded: RecordedRequest,
  signal: AbortSignal,
  sleep: (ms: number) => Promise<void>,
): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const abort = () => {
          if (next > play.writes.length) return;
          recorded.aborted = true;
          controller.error(signal.reason);
        };
        signal.addEventListener('abort', abort, { once: true });
      },
      async pull(controller) {
        if (next > 0 && play.delayMs > 0) await sleep(play.delayMs);
        if (recorded.aborted) return;
        const bytes = play.writes[next];
        if (bytes) {
          next += 1;
          // A copy: the reader may take the buffer over, and plays are shared.
          controller.enqueue(bytes.slice());
        } else if (play.end === 'close') {
          next += 1;
          controller.close();
        } else if (play.end === 'destroy') {
          next += 1;
          controller.error(new TypeError('terminated'));
        } else {
          await new Promise(() => undefined);
        }
      },
      cancel() {
        recorded.aborted = true;
      },
    },
    { highWaterMark: 0 },
  );
}
