/** A model whose every word a test decides. */

import type { GatewayError } from '../protocol/errors.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from '../providers/contract.ts';

/** A provider, and the strings it hangs on. */
export interface ScriptedModel {
  readonly provider: ModelProvider;
  /** Requests sent so far. */
  readonly requests: readonly ModelRequest[];
  /** True once the request was stopped from our side. */
  readonly aborted: boolean;
  say(...events: readonly ModelEvent[]): void;
  /** One text event. */
  text(text: string): void;
  /** Closes the vendor's stream. */
  end(): void;
  fail(error: GatewayError): void;
}

type Turn = { readonly events: readonly ModelEvent[] } | { readonly error: unknown } | 'end';

/** Makes a model that says nothing until it is told to. */
export function createScriptedModel(): ScriptedModel {
  const requests: ModelRequest[] = [];
  const turns: Turn[] = [];
  let wake: () => void = () => undefined;
  let aborted = false;

  function tell(turn: Turn): void {
    turns.push(turn);
    wake();
  }

  async function* stream(request: ModelRequest, signal: AbortSignal) {
    requests.push(request);
    signal.addEventListener('abort', () => {
      aborted = true;
      wake();
    });
    for (;;) {
      if (signal.aborted) return;
      const turn = turns.shift();
      if (turn === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (turn === 'end') return;
      else if ('error' in turn) throw turn.error;
      else yield turn.events;
    }
  }

  return {
    provider: { name: 'echo', stream },
    requests,
    get aborted() {
      return aborted;
    },
    say: (...events) => tell({ events }),
    text: (text) => tell({ events: [{ type: 'text', text }] }),
    end: () => tell('end'),
    fail: (error) => tell({ error }),
  };
}
