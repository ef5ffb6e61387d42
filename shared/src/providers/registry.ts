/** The vendors one host has, and the choice among them by model name. */

import { GatewayError } from '../protocol/errors.ts';
import type { CircuitState } from './circuit-breaker.ts';
import type { ModelProvider, ProviderName } from './contract.ts';
import { MODEL_FAMILIES, routeModel } from './route-model.ts';
import type { CircuitLook } from './with-breaker.ts';

/** What a request's model name means here. */
export interface ResolvedModel {
  readonly provider: ModelProvider;
  /** The vendor's own name of the model. */
  readonly model: string;
  /** The name as it was asked for, or the default's. */
  readonly name: string;
}

/** What `/health` and the start-up banner say of a vendor. */
export interface ProviderState {
  readonly isLive: boolean;
  /** True for the built-in simulation. */
  readonly isSimulated: boolean;
  /** What to set, where the vendor is not live. */
  readonly missing?: string;
  /** Of a live vendor that has a circuit breaker. */
  readonly circuit?: CircuitState['kind'];
}

export interface ProviderRegistry {
  /** The live vendors, as they were given. */
  readonly providers: RegistryOptions['providers'];
  /** The vendor of a name, or of the default for `undefined`; throws `validation_failed` or `unavailable`. */
  resolve(model: string | undefined): ResolvedModel;
  readonly defaultModel: string;
  live(): Readonly<Record<ProviderName, ProviderState>>;
}

export interface RegistryOptions {
  readonly providers: Readonly<Partial<Record<ProviderName, ModelProvider & Partial<CircuitLook>>>>;
  /** The setting `DEFAULT_MODEL`. */
  readonly defaultModel?: string | undefined;
  /** What to say of a vendor that is not wired; overrides {@link MISSING_PROVIDER}. */
  readonly missing?: Readonly<Partial<Record<ProviderName, string>>> | undefined;
}

/** What to set for each vendor, as an origin has it. An edge says `ORIGIN_URL` for Ollama. */
export const MISSING_PROVIDER: Readonly<Record<ProviderName, string>> = {
  openai: 'OpenAI is not set up: set OPENAI_API_KEY.',
  azure: 'Azure OpenAI is not set up: set AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT.',
  anthropic: 'Anthropic is not set up: set ANTHROPIC_API_KEY.',
  ollama: 'Ollama is not set up: set OLLAMA_HOST.',
  echo: 'The built-in simulation is switched off here.',
};

/** What an edge says of Ollama, which only an origin can reach. */
export const MISSING_OLLAMA_AT_EDGE =
  'Ollama is served by the origin: set ORIGIN_URL here and OLLAMA_HOST there.';

/** Asked for where the setting `DEFAULT_MODEL` is absent and the vendor is the first live one. */
export const DEFAULT_VENDOR_MODELS = { openai: 'gpt-4', anthropic: 'claude-sonnet-5-5' } as const;

/** Throws `validation_failed` when the default model itself means no vendor. */
export function createProviderRegistry(options: RegistryOptions): ProviderRegistry {
  const { providers } = options;
  const missing = { ...MISSING_PROVIDER, ...options.missing };
  const defaultModel = options.defaultModel ?? firstLiveModel(providers);
  if (!routeModel(defaultModel)) throw unknownModel('DEFAULT_MODEL', defaultModel);

  function state(name: ProviderName): ProviderState {
    const isSimulated = name === 'echo';
    const provider = providers[name];
    if (provider === undefined) return { isLive: false, isSimulated, missing: missing[name] };
    const circuit = provider.circuit?.();
    return { isLive: true, isSimulated, ...(circuit === undefined ? {} : { circuit }) };
  }

  return {
    providers,
    defaultModel,
    resolve(requested) {
      const name = requested ?? defaultModel;
      const route = routeModel(name);
      if (!route) throw unknownModel('model', name);
      const provider = providers[route.provider];
      if (!provider) throw new GatewayError('unavailable', missing[route.provider]);
      return { provider, model: route.model, name };
    },
    live: () => ({
      openai: state('openai'),
      azure: state('azure'),
      anthropic: state('anthropic'),
      ollama: state('ollama'),
      echo: state('echo'),
    }),
  };
}

function firstLiveModel(providers: RegistryOptions['providers']): string {
  if (providers.openai) return DEFAULT_VENDOR_MODELS.openai;
  return providers.anthropic ? DEFAULT_VENDOR_MODELS.anthropic : 'echo';
}

/** The name itself is left out of the message: it may be anything, of any length. */
function unknownModel(path: string, name: string): GatewayError {
  const cause = new Error(`model name ${JSON.stringify(name.slice(0, 80))}`);
  return new GatewayError(
    'validation_failed',
    `${path} names no model that is served here. Accepted: ${MODEL_FAMILIES}.`,
    { cause, details: { fields: [{ path, message: `must be one of: ${MODEL_FAMILIES}` }] } },
  );
}
