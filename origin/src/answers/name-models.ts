/** Which models a wish means here. */

import type { AnswerSettings } from '@headwater/shared/protocol/answer-settings';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { createModelCatalogue } from '@headwater/shared/providers/model-catalogue';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import { routeModel } from '@headwater/shared/providers/route-model';
import type { Logger } from '@headwater/shared/stream/ports';
import { chooseModels } from '@headwater/shared/text/choose-models';
import type { FirstWords } from '@headwater/shared/text/first-words';
import type { AnswerWish } from './answer-service.ts';

/** The model that is asked, then those that take over. */
export interface NamedModels {
  readonly model: string;
  readonly fallbackModels: readonly string[];
}

/** What names are read with. */
export interface NamingPorts {
  readonly registry: ProviderRegistry;
  readonly settings: AnswerSettings;
  readonly words: Pick<FirstWords, 'timeOf'>;
  readonly logger: Logger;
}

/** Names the models of wishes. */
export interface ModelNames {
  /**
   * Without a model: those of the policy, else the default one. A name that means no vendor is one of
   * Ollama's, where that is live.
   */
  modelsOf(wish: Pick<AnswerWish, 'model' | 'policy' | 'fallbackModels'>): Promise<NamedModels>;
}

/** `phi4`, `llama3.2:1b`, `hf.co/owner/model:Q4_K_M`; a vendor's prefix alone is no name. */
const OLLAMA_NAME = /^[\w.-]+(?:\/[\w.-]+)*(?::[\w.-]+)?$/;

/** Makes it. What Ollama has is asked for when a policy needs it, and remembered for minutes. */
export function createModelNames({ registry, settings, words, logger }: NamingPorts): ModelNames {
  const { ollama } = registry.providers;
  const catalogue = createModelCatalogue({
    registry: { providers: ollama === undefined ? {} : { ollama } },
    onFailure: (provider, err) => logger.warn({ provider, err }, 'models could not be listed'),
  });

  function nameOf(name: string): string {
    const isLocal =
      ollama !== undefined && routeModel(name) === undefined && OLLAMA_NAME.test(name);
    return isLocal ? `ollama/${name}` : name;
  }

  async function chosenBy(policy: NonNullable<AnswerWish['policy']>): Promise<readonly string[]> {
    const chosen = chooseModels(policy, {
      isLive: (provider) => provider !== 'echo' && registry.providers[provider] !== undefined,
      ollamaModels: (await catalogue.list()).map(({ id }) => id),
      policies: settings.policies,
      prices: settings.prices,
      words,
    });
    return chosen.length > 0 ? chosen : [registry.defaultModel];
  }

  return {
    async modelsOf({ model, policy, fallbackModels }) {
      const named = fallbackModels?.map(nameOf);
      if (model !== undefined) return { model: nameOf(model), fallbackModels: named ?? [] };
      if (policy === undefined) {
        return { model: registry.defaultModel, fallbackModels: named ?? [] };
      }
      const [first = registry.defaultModel, ...rest] = await chosenBy(policy);
      return { model: first, fallbackModels: named ?? rest };
    },
  };
}

/** A fault of a fallback is told by the field that the text services have for them. */
export function asOptionFault(thrown: unknown): unknown {
  if (!(thrown instanceof GatewayError) || thrown.code !== 'validation_failed') return thrown;
  const [field] = thrown.details?.fields ?? [];
  if (field === undefined || !field.path.startsWith('fallbackModels')) return thrown;
  const path = field.path.replace('fallbackModels', 'fallback_models');
  return new GatewayError('validation_failed', thrown.message.replace(field.path, path), {
    cause: thrown,
    details: { fields: [{ ...field, path }] },
  });
}
