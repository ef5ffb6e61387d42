/** Which models a vendor has that only the origin reaches. */

import { parseModelList } from '@headwater/shared/openai-api/model-list';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { ProviderName } from '@headwater/shared/providers/contract';
import {
  LIST_TIMEOUT_MS,
  type ListedModel,
  type ModelLister,
} from '@headwater/shared/providers/model-lister';

/** Where the origin is. */
export interface OriginModelsOptions {
  readonly name: ProviderName;
  /** The first that answers counts. */
  readonly originUrls: readonly string[];
  /** `INTERNAL_API_KEY`. */
  readonly apiKey?: string | undefined;
}

/** Makes the lister: it asks the origin's own list, and drops the prefix that the vendor has there. */
export function createOriginModelLister(options: OriginModelsOptions): ModelLister {
  const prefix = `${options.name}/`;
  return {
    async listModels() {
      const all = await askOrigins(options);
      return all.flatMap(({ id, ...model }) =>
        id.startsWith(prefix) ? [{ ...model, id: id.slice(prefix.length) }] : [],
      );
    },
  };
}

async function askOrigins(options: OriginModelsOptions): Promise<readonly ListedModel[]> {
  const { apiKey } = options;
  let cause: unknown;
  for (const base of options.originUrls) {
    try {
      const response = await fetch(new URL('/v1/models', base), {
        headers: apiKey === undefined ? {} : { 'x-api-key': apiKey },
        signal: AbortSignal.timeout(LIST_TIMEOUT_MS),
      });
      if (response.ok) return parseModelList(await response.json());
      await response.body?.cancel();
    } catch (thrown) {
      // The next origin may be up.
      cause = thrown;
    }
  }
  throw new GatewayError('unavailable', 'No origin of ORIGIN_URL lists its models.', { cause });
}
