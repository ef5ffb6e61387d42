/** The models that the edge can serve. */

import {
  createModelCatalogue,
  type ModelCatalogue,
} from '@headwater/shared/providers/model-catalogue';
import type { EdgeGateway } from '../gateway.ts';
import { createOriginModelLister } from './origin-models.ts';

const catalogues = new WeakMap<EdgeGateway, ModelCatalogue>();

/** The isolate's list of models; Ollama's are the origin's. */
export function catalogueOf(gateway: EdgeGateway): ModelCatalogue {
  let catalogue = catalogues.get(gateway);
  if (catalogue === undefined) {
    const { settings, registry } = gateway;
    const { originUrls, internalApiKey: apiKey } = settings;
    const { ollama, ...providers } = registry.providers;
    const lister = createOriginModelLister({ name: 'ollama', originUrls, apiKey });
    const listed =
      ollama === undefined ? providers : { ...providers, ollama: { ...ollama, ...lister } };
    catalogue = createModelCatalogue({ registry: { providers: listed } });
    catalogues.set(gateway, catalogue);
  }
  return catalogue;
}
