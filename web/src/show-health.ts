/** Shows what the gateway behind the page can do. */

import { element } from './elements.ts';
import type { Health, ProviderState } from './health.ts';
import type { Page } from './page.ts';

const PROVIDER_NAMES: Readonly<Record<string, string>> = {
  openai: 'OpenAI',
  azure: 'Azure OpenAI',
  anthropic: 'Anthropic',
  ollama: 'Ollama',
  echo: 'Echo',
};

/** How to make a provider live, or what it is where nothing has to be set. */
function providerHint(provider: ProviderState): string {
  if (provider.setting !== undefined) return `set ${provider.setting} to make it live`;
  return provider.kind === 'simulated' ? 'built in, needs no key' : '';
}

function providerItem(provider: ProviderState): HTMLLIElement {
  const { name, kind } = provider;
  return element(
    'li',
    {},
    element('span', { class: 'provider-name' }, PROVIDER_NAMES[name] ?? name),
    element('span', { class: 'kind', 'data-kind': kind }, kind),
    element('span', { class: 'hint' }, providerHint(provider)),
  );
}

/** Fills in the host line, the providers, the default model, and whether a token is needed. */
export function showHealth(page: Page, health: Health | undefined): void {
  if (health === undefined) {
    page.host.textContent = 'The gateway does not answer /health.';
    page.providers.replaceChildren();
    return;
  }
  const words = [health.host, health.version && `version ${health.version}`];
  if (health.devMode) words.push('DEV_MODE');
  page.host.textContent = words.filter(Boolean).join(' · ');
  page.providers.replaceChildren(...health.providers.map(providerItem));
  if (health.defaultModel !== undefined) page.model.placeholder = health.defaultModel;
  if (health.devMode) {
    page.tokenHint.textContent = 'Not needed here: the gateway runs in DEV_MODE.';
  } else {
    page.tokenHint.textContent = 'Needed here: a signed JWT, such as npm run token prints.';
    page.more.open = true;
  }
}
