/** Script: written after a template, followed live. */

import { element, find, sendByKeys, showFault } from './elements.ts';
import type { Run } from './run.ts';
import { createWordCount, parseTemplates, type Template } from './script-data.ts';
import { startScript } from './script-run.ts';
import type { ServicePorts } from './services.ts';
import { createRunView } from './show-run.ts';
import { requestJson } from './wire.ts';

/** The project that this page's scripts are kept under. */
const PROJECT_ID = 'playground';

/** Wires the form. */
export function wireScript(ports: ServicePorts): void {
  const card = find('script', HTMLDetailsElement);
  const form = find('script-form', HTMLFormElement);
  const type = find('script-type', HTMLSelectElement);
  const typeHint = find('script-type-hint', HTMLElement);
  const title = find('script-title', HTMLInputElement);
  const description = find('script-description', HTMLTextAreaElement);
  const length = find('script-length', HTMLInputElement);
  const variables = find('script-variables', HTMLElement);
  const send = find('script-send', HTMLButtonElement);
  const stop = find('script-stop', HTMLButtonElement);
  const status = find('script-status', HTMLElement);
  const bar = find('script-progress', HTMLProgressElement);
  const words = find('script-words', HTMLElement);
  const warnings = find('script-warnings', HTMLElement);
  const answer = find('script-text', HTMLElement);
  const fault = find('script-fault', HTMLElement);
  const facts = find('script-facts', HTMLElement);
  let templates: readonly Template[] = [];
  let run: Run | undefined;

  const chosen = () => templates.find(({ id }) => id === type.value);

  function showTemplate() {
    const template = chosen();
    typeHint.textContent = template?.description ?? '';
    length.placeholder = String(template?.defaultLength ?? '');
    const fields = (template?.required ?? []).flatMap(({ name, description: hint }) => {
      const id = `script-variable-${name}`;
      return [
        element('label', { for: id }, hint),
        element('input', { id, name, required: '', maxlength: '4000', autocomplete: 'off' }),
      ];
    });
    variables.replaceChildren(...fields);
  }

  async function showTemplates() {
    showFault(fault, undefined);
    const url = new URL('api/v1/templates', ports.baseUrl).href;
    const found = await requestJson(ports.fetch, url, { headers: ports.headers() });
    if (!found.ok) return showFault(fault, found.fault);
    templates = parseTemplates(found.value);
    type.replaceChildren(
      ...templates.map(({ id, name }) => element('option', { value: id }, name)),
    );
    showTemplate();
  }

  function requestBody(template: Template | undefined): Record<string, unknown> {
    const inputs = [...variables.querySelectorAll('input')];
    return {
      project_id: PROJECT_ID,
      script_type: template?.scriptType ?? '',
      template_id: template?.id ?? '',
      title: title.value,
      description: description.value,
      ...(length.value === '' ? {} : { length_target: length.valueAsNumber }),
      variables: Object.fromEntries(inputs.map(({ name, value }) => [name, value])),
      ...ports.wishes(),
    };
  }

  function createView(target: number | undefined) {
    const shown = createRunView({ send, stop, status, answer, fault, facts });
    let count = createWordCount();
    let stage = '';
    let written = 0;
    const showWords = () => {
      const of = target === undefined ? '' : ` of about ${target.toLocaleString('en')}`;
      const part = stage === '' ? '' : ` · ${stage}`;
      words.textContent = `${written.toLocaleString('en')}${of} words${part}`;
    };
    bar.value = 0;
    bar.hidden = false;
    warnings.textContent = '';
    showWords();
    return {
      ...shown,
      text(more: string) {
        shown.text(more);
        written = count(more);
        showWords();
      },
      restart() {
        shown.restart();
        count = createWordCount();
        written = 0;
        showWords();
      },
      progress(share: number, part: string) {
        bar.value = share;
        stage = part;
        showWords();
      },
      wordCount(all: number) {
        written = all;
        stage = '';
        showWords();
      },
      warnings(lines: readonly string[]) {
        warnings.textContent = lines.join(' ');
      },
      phase(phase: Parameters<typeof shown.phase>[0]) {
        shown.phase(phase);
        if (phase === 'completed') bar.value = 1;
      },
    };
  }

  card.addEventListener('toggle', () => {
    if (card.open && templates.length === 0) void showTemplates();
  });
  type.addEventListener('change', showTemplate);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (send.disabled) return;
    const template = chosen();
    const target = length.value === '' ? template?.defaultLength : length.valueAsNumber;
    const body = requestBody(template);
    const request = { path: 'api/v1/generate', headers: ports.headers(), body };
    run = startScript(request, createView(target), ports);
  });
  sendByKeys(form);
  stop.addEventListener('click', () => void run?.stop());
}
