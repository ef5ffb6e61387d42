/** Elements of the page: found, made, and told what to show. Text is only ever text. */

import type { Fault } from './wire.ts';

/** Finds one part of index.html. Throws when the page and the program disagree. */
export function find<Part extends HTMLElement>(id: string, type: new () => Part): Part {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
  return found;
}

/** Makes an element with its attributes and what is in it. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** Shows a fault in the gateway's words, or takes the last one away. */
export function showFault(box: HTMLElement, fault: Fault | undefined): void {
  box.hidden = fault === undefined;
  if (fault === undefined) {
    box.replaceChildren();
    return;
  }
  const request = fault.requestId === undefined ? '' : ` · request ${fault.requestId}`;
  box.replaceChildren(
    element('p', {}, fault.message),
    ...(fault.fields ?? []).map((words) => element('p', {}, words)),
    element('p', { class: 'hint' }, `${fault.code}${request}`),
  );
}

/** Lets Ctrl+Enter, or Cmd+Enter, send a form whose text takes more than one line. */
export function sendByKeys(form: HTMLFormElement): void {
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
}
