/** The models that a caller may ask for here, under the names it can use. */

import type { ModelProvider, ProviderName } from './contract.ts';
import type { ListedModel, ModelLister } from './model-lister.ts';
import type { ProviderRegistry } from './registry.ts';
import { routeModel } from './route-model.ts';

/** A list of models, of whatever vendors are live. */
export interface ModelCatalogue {
  /** Never rejects: a vendor that cannot be asked is left out, or shown as it was last known. */
  list(): Promise<readonly ListedModel[]>;
}

export interface CatalogueOptions {
  readonly registry: Pick<ProviderRegistry, 'providers'>;
  /** Default: the platform's clock. */
  readonly nowMs?: (() => number) | undefined;
  /** Told of a vendor that could not be asked. Default: nobody. */
  readonly onFailure?: ((vendor: ProviderName, thrown: unknown) => void) | undefined;
}

/** For how long a list is taken for true. */
export const LIST_TTL_MS = 5 * 60_000;

/** For how long a vendor that could not be asked is not asked again. */
export const LIST_RETRY_MS = 30_000;

interface Known {
  readonly models: readonly ListedModel[];
  readonly untilMs: number;
}

/** OpenAI lists everything that a key can reach; these answer no chat. */
const NO_CHAT =
  /embedding|whisper|tts|dall-e|image|sora|moderation|realtime|audio|transcribe|^(?:babbage|davinci)-/;

/**
 * A catalogue over the vendors of `registry` that can list. Each vendor's list is kept for
 * {@link LIST_TTL_MS}. What is kept is the list, never the request for it: on the edge one caller's
 * request cannot wait for another's.
 */
export function createModelCatalogue(options: CatalogueOptions): ModelCatalogue {
  const { registry, nowMs = Date.now, onFailure } = options;
  const known = new Map<ProviderName, Known>();

  async function listOf(provider: ModelProvider & ModelLister): Promise<readonly ListedModel[]> {
    const { name } = provider;
    const kept = known.get(name);
    if (kept !== undefined && nowMs() < kept.untilMs) return kept.models;
    try {
      const models = (await provider.listModels()).flatMap((model) => toCallable(name, model));
      known.set(name, { models, untilMs: nowMs() + LIST_TTL_MS });
      return models;
    } catch (thrown) {
      onFailure?.(name, thrown);
      const models = kept?.models ?? [];
      known.set(name, { models, untilMs: nowMs() + LIST_RETRY_MS });
      return models;
    }
  }

  return {
    async list() {
      const lists = Object.values(registry.providers).filter(canList).map(listOf);
      return (await Promise.all(lists)).flat();
    },
  };
}

function canList(provider: ModelProvider): provider is ModelProvider & ModelLister {
  return 'listModels' in provider;
}

/** Under its bare name where that leads to this vendor, else with the vendor's prefix. */
function toCallable(provider: ProviderName, model: ListedModel): readonly ListedModel[] {
  if (provider === 'openai' && NO_CHAT.test(model.id)) return [];
  const id = [model.id, `${provider}/${model.id}`].find((name) => {
    const route = routeModel(name);
    return route?.provider === provider && route.model === model.id;
  });
  return id === undefined ? [] : [{ ...model, id }];
}
