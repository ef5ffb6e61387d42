/** Ends the answer of a model that has said enough. */

import type { ModelEvent } from '@headwater/shared/providers/contract';
import type { ResolvedModel } from '@headwater/shared/providers/registry';

/**
 * The same model, whose answer is over as soon as nobody wants more of it: it ends as if the vendor
 * had ended it, and the request behind it is stopped.
 */
export function endEarly(target: ResolvedModel, isWanted: () => boolean): ResolvedModel {
  const { provider } = target;
  async function* untilUnwanted(
    events: AsyncIterable<readonly ModelEvent[]>,
  ): AsyncGenerator<readonly ModelEvent[], undefined, undefined> {
    for await (const batch of events) {
      yield batch;
      if (!isWanted()) return;
    }
  }
  return {
    ...target,
    provider: {
      name: provider.name,
      stream: (request, signal) => untilUnwanted(provider.stream(request, signal)),
    },
  };
}
