/** A vendor that only the origin reaches, over the origin's model relay. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import { MODEL_RELAY_PATH, parseRelayLine } from '@headwater/shared/protocol/model-relay';
import type {
  ModelEvent,
  ModelProvider,
  ModelRequest,
  ProviderName,
} from '@headwater/shared/providers/contract';

/** Where the origin is. */
export interface OriginProviderOptions {
  readonly name: ProviderName;
  /** At least one; the first that accepts a connection answers. */
  readonly originUrls: readonly string[];
  /** `INTERNAL_API_KEY`. */
  readonly apiKey?: string | undefined;
}

/** Makes the vendor. */
export function createOriginProvider(options: OriginProviderOptions): ModelProvider {
  return {
    name: options.name,
    async *stream(request, signal) {
      const response = await connect(options, request, signal);
      if (signal.aborted) return;
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        throw refusal(response.status);
      }
      yield* readLines(response.body, signal);
    },
  };
}

async function connect(
  options: OriginProviderOptions,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<Response> {
  let cause: unknown;
  for (const base of options.originUrls) {
    try {
      return await fetch(new URL(MODEL_RELAY_PATH, base), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(options.apiKey === undefined ? {} : { 'x-api-key': options.apiKey }),
        },
        body: JSON.stringify(request),
        signal,
      });
    } catch (thrown) {
      // The next origin may be up; an abort ends the loop through the signal.
      cause = thrown;
      if (signal.aborted) break;
    }
  }
  throw new GatewayError('unavailable', 'No origin of ORIGIN_URL could be reached.', { cause });
}

function refusal(status: number): GatewayError {
  if (status === 401 || status === 403) {
    return new GatewayError(
      'unavailable',
      'The origin refused the edge: set the same INTERNAL_API_KEY on both.',
    );
  }
  if (status === 400) return new GatewayError('validation_failed', 'The origin refused the model.');
  if (status === 503) {
    return new GatewayError(
      'unavailable',
      'The origin has no such model provider: set OLLAMA_HOST.',
    );
  }
  return new GatewayError('upstream_failed', 'The origin failed.');
}

async function* readLines(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<readonly ModelEvent[]> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      const events: ModelEvent[] = [];
      for (const line of lines) {
        const read = parseRelayLine(line);
        if (read === 'end') {
          if (events.length > 0) yield events;
          return;
        }
        events.push(...read);
      }
      if (events.length > 0) yield events;
    }
  } catch (thrown) {
    if (signal.aborted) return;
    if (thrown instanceof GatewayError) throw thrown;
    throw new GatewayError('upstream_failed', 'The line to the origin broke.', { cause: thrown });
  } finally {
    // Also stops the origin's own request when the reader of this generator leaves early.
    await reader.cancel().catch(() => undefined);
  }
  throw new GatewayError('upstream_failed', 'The origin stopped in mid-answer.');
}
