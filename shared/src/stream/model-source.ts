/** The one request to the model of a session, as the engine sees it. */

import { type GatewayError, toGatewayError } from '../protocol/errors.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from '../providers/contract.ts';
import { createGatherer } from './gather.ts';
import type { StreamRequest } from './session.ts';

/** What a source is wired to. */
export interface ModelSourcePorts {
  provider(): ModelProvider;
  readonly gatherMs: number;
  nowMs(): number;
  say(events: readonly ModelEvent[]): void;
  /** The vendor closed its stream. */
  ended(): void;
  failed(error: GatewayError, thrown: unknown): void;
  /** Resolves when what was said is kept; `undefined` when it is. */
  behind(): Promise<void> | undefined;
}

/** A request that can be sent once, and stopped. */
export interface ModelSource {
  open(request: StreamRequest): void;
  /** Says what has been gathered, so that nothing said is lost by what comes next. */
  flush(): void;
  close(): void;
}

/** Makes the source. After `close` it says nothing more, and neither ends nor fails. */
export function createModelSource(ports: ModelSourcePorts): ModelSource {
  const abort = new AbortController();
  const gatherer = createGatherer(ports.gatherMs, ports.nowMs, ports.say);

  async function pump(request: ModelRequest): Promise<void> {
    try {
      for await (const events of ports.provider().stream(request, abort.signal)) {
        gatherer.add(events);
        // One batch in flight: a slow log slows the model, never fills the memory.
        const behind = ports.behind();
        if (behind !== undefined) await behind;
      }
      if (abort.signal.aborted) return;
      gatherer.flush();
      ports.ended();
    } catch (thrown) {
      if (abort.signal.aborted) return;
      gatherer.flush();
      ports.failed(toGatewayError(thrown), thrown);
    }
  }

  return {
    open: (request) => void pump(modelRequest(request)),
    flush: gatherer.flush,
    close: () => abort.abort(),
  };
}

function modelRequest(request: StreamRequest): ModelRequest {
  const { model, messages, maxTokens, temperature, streamId } = request;
  return {
    model,
    messages,
    maxTokens,
    streamId,
    ...(temperature === undefined ? {} : { temperature }),
  };
}
