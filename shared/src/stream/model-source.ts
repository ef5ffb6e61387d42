/** One request to a model, as the engine sees it. */

import { type GatewayError, toGatewayError } from '../protocol/errors.ts';
import type {
  ModelEvent,
  ModelProvider,
  ModelRequest,
  ProviderName,
} from '../providers/contract.ts';
import { createGatherer } from './gather.ts';
import type { GivenAnswer, ModelTarget, StreamRequest } from './session-state.ts';
import { filterEvents, type TextRules } from './text-filter.ts';

/** What a source is wired to. */
export interface ModelSourcePorts {
  provider(target: ModelTarget): ModelProvider;
  readonly gatherMs: number;
  nowMs(): number;
  say(events: readonly ModelEvent[]): void;
  /** The vendor closed its stream. */
  ended(): void;
  failed(error: GatewayError, thrown: unknown): void;
  /** Resolves when what was said is kept; `undefined` when it is. */
  behind(): Promise<void> | undefined;
}

const STOPPED = new Error('The answer is not needed any more.');

/** A request that can be sent once, and stopped. */
export interface ModelSource {
  open(request: StreamRequest, target: ModelTarget): void;
  /** Says what has been gathered, so that nothing said is lost by what comes next. */
  flush(): void;
  close(): void;
}

/** Makes the source. After `close` it says nothing more, and neither ends nor fails. */
export function createModelSource(ports: ModelSourcePorts): ModelSource {
  const abort = new AbortController();
  const gatherer = createGatherer(ports.gatherMs, ports.nowMs, ports.say);

  async function pump(provider: () => ModelProvider, request: ModelRequest): Promise<void> {
    try {
      for await (const events of provider().stream(request, abort.signal)) {
        if (abort.signal.aborted) return;
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
    open(request, target) {
      const { given, textRules } = request;
      const provider = () =>
        given === undefined ? ports.provider(target) : sayGiven(target.provider, given);
      void pump(() => ruled(provider(), textRules), modelRequest(request, target));
    },
    flush: gatherer.flush,
    close() {
      // A reason of our own: the default one is an exception with a stack, made for each stream.
      abort.abort(STOPPED);
      gatherer.drop();
    },
  };
}

/** A provider that says what the rules let pass. */
function ruled(provider: ModelProvider, rules: TextRules | undefined): ModelProvider {
  if (rules === undefined) return provider;
  return {
    name: provider.name,
    stream: (request, signal) => filterEvents(rules, provider.stream(request, signal)),
  };
}

/** A provider that says what was kept. */
function sayGiven(name: ProviderName, { text, inputTokens, outputTokens }: GivenAnswer) {
  return {
    name,
    async *stream(): AsyncGenerator<readonly ModelEvent[]> {
      yield [
        { type: 'text', text },
        { type: 'usage', inputTokens, outputTokens },
        { type: 'finish', reason: 'stop' },
      ];
    },
  };
}

function modelRequest(request: StreamRequest, { model }: ModelTarget): ModelRequest {
  const { messages, maxTokens, streamId, temperature, tools, toolChoice } = request;
  const { parallelToolCalls, topP, stop, openaiParams } = request;
  return {
    model,
    messages,
    maxTokens,
    streamId,
    ...(temperature === undefined ? {} : { temperature }),
    ...(tools === undefined ? {} : { tools }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
    ...(topP === undefined ? {} : { topP }),
    ...(stop === undefined ? {} : { stop }),
    ...(openaiParams === undefined ? {} : { openaiParams }),
  };
}
