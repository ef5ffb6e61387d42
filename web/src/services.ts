/** The second half of the page: chat, documents and scripts, and whether a model is behind them. */

import { noticesOf, readServices, SERVICES, type ServiceName } from './ai-health.ts';
import { wireChat } from './chat.ts';
import { wireQuestion } from './document-question.ts';
import { wireDocuments } from './documents.ts';
import { element, find } from './elements.ts';
import type { RunPorts } from './run.ts';
import { wireScript } from './script.ts';
import type { Fetch } from './wire.ts';

/** What each service is given. */
export interface ServicePorts extends RunPorts {
  /** Who asks. */
  headers(): Readonly<Record<string, string>>;
  /** Fields of every request: the model, where one is named. */
  wishes(): Readonly<Record<string, string>>;
}

const NO_ORIGIN =
  'These services run at an origin, and none answers behind this edge: start one and set ORIGIN_URL.';

const ELEMENT_IDS: Readonly<Record<ServiceName, string>> = {
  chat: 'chat',
  rag: 'documents',
  'script-generation': 'script',
};

/** Wires the forms. A service asks the gateway for nothing before somebody opens it. */
export function wireServices(ports: RunPorts, token: HTMLInputElement): void {
  const model = find('service-model', HTMLInputElement);
  const servicePorts: ServicePorts = {
    ...ports,
    headers() {
      const words = token.value.trim();
      return words === '' ? {} : { authorization: `Bearer ${words}` };
    },
    wishes() {
      const name = model.value.trim();
      return name === '' ? {} : { model: name };
    },
  };
  wireChat(servicePorts);
  wireDocuments(servicePorts);
  wireQuestion(servicePorts);
  wireScript(servicePorts);
}

/** Says on the page what is live, what is simulated and what is missing. */
export async function showServices(
  fetch: Fetch,
  baseUrl: string,
  hasOrigin: boolean,
): Promise<void> {
  if (!hasOrigin) return showNotices('Not available here', [NO_ORIGIN]);
  const answer = await readServices(fetch, baseUrl);
  if (!answer.ok) return showNotices('Not available here', [answer.fault.message]);
  const states = answer.value;
  for (const name of SERVICES) {
    const { kind } = states[name];
    const mark = find(`${ELEMENT_IDS[name]}-kind`, HTMLElement);
    mark.textContent = kind;
    mark.setAttribute('data-kind', kind);
    mark.hidden = false;
  }
  const isSimulated = SERVICES.every((name) => states[name].kind === 'simulated');
  showNotices(isSimulated ? 'Simulation only' : 'Not all of it is live', noticesOf(states));
}

function showNotices(title: string, notices: readonly string[]): void {
  const box = find('services-notice', HTMLElement);
  box.hidden = notices.length === 0;
  box.replaceChildren(element('strong', {}, `${title}.`), ...notices.map((words) => ` ${words}`));
}
