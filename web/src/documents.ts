/** Documents: brought in, listed and deleted. */

import { element, find, sendByKeys, showFault } from './elements.ts';
import { type DocumentItem, parseDocument, parseDocuments } from './rag-data.ts';
import type { ServicePorts } from './services.ts';
import { fieldsOf, requestJson } from './wire.ts';

const PATH = 'ai/rag/documents';

const JSON_TYPE = { 'content-type': 'application/json' };

/** Wires the list, and the ways to add to it. */
export function wireDocuments({ fetch, baseUrl, headers }: ServicePorts): void {
  const card = find('documents', HTMLDetailsElement);
  const drop = find('documents-drop', HTMLElement);
  const file = find('documents-file', HTMLInputElement);
  const pasteForm = find('documents-paste', HTMLFormElement);
  const pasted = find('documents-text', HTMLTextAreaElement);
  const add = find('documents-add', HTMLButtonElement);
  const status = find('documents-status', HTMLElement);
  const fault = find('documents-fault', HTMLElement);
  const list = find('documents-list', HTMLElement);
  const url = new URL(PATH, baseUrl).href;

  /** Asks, and shows a refusal as one. */
  async function call(address: string, init: RequestInit) {
    const answer = await requestJson(fetch, address, {
      ...init,
      headers: { ...headers(), ...(typeof init.body === 'string' ? JSON_TYPE : {}) },
    });
    if (!answer.ok) showFault(fault, answer.fault);
    return answer;
  }

  const say = (words: string) => element('li', { class: 'hint' }, words);

  async function showList() {
    if (list.childElementCount === 0) list.append(say('Loading…'));
    const answer = await call(url, {});
    if (!answer.ok) {
      list.replaceChildren();
      return;
    }
    const { items, hasMore } = parseDocuments(answer.value);
    list.replaceChildren(...items.map(listItem));
    if (items.length === 0) list.append(say('No documents yet.'));
    if (hasMore) list.append(say('Older ones are not shown.'));
  }

  function listItem({ id, title, mediaType, passages }: DocumentItem): HTMLLIElement {
    const remove = element('button', { type: 'button', 'aria-label': `Delete ${title}` }, 'Delete');
    remove.addEventListener('click', async () => {
      remove.disabled = true;
      showFault(fault, undefined);
      const answer = await call(`${url}/${encodeURIComponent(id)}`, { method: 'DELETE' });
      status.textContent = answer.ok ? `Deleted: ${title}` : '';
      await showList();
      // The button that had the focus is gone: a keyboard goes on at the list.
      list.focus();
    });
    const facts = `${mediaType} · ${passages === 1 ? '1 passage' : `${passages} passages`}`;
    const name = element('span', {}, title, element('span', { class: 'hint' }, facts));
    return element('li', {}, name, remove);
  }

  async function bring(name: string, body: BodyInit): Promise<boolean> {
    status.textContent = `Reading ${name}…`;
    const answer = await call(url, { method: 'POST', body });
    const { title } = parseDocument(answer.ok ? answer.value : {});
    const isKnown = answer.ok && fieldsOf(answer.value)['duplicate'] === true;
    status.textContent = answer.ok ? `${isKnown ? 'Here already' : 'Added'}: ${title}` : '';
    return answer.ok;
  }

  async function bringFiles(files: readonly File[]) {
    showFault(fault, undefined);
    for (const one of files) {
      const form = new FormData();
      form.append('file', one);
      // One after the other; the first that is refused is the one that is told.
      if (!(await bring(one.name, form))) break;
    }
    file.value = '';
    if (files.length > 0) await showList();
  }

  card.addEventListener('toggle', () => {
    if (!card.open) return;
    showFault(fault, undefined);
    void showList();
  });
  file.addEventListener('change', () => void bringFiles([...(file.files ?? [])]));
  drop.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    void bringFiles([...(event.dataTransfer?.files ?? [])]);
  });
  sendByKeys(pasteForm);
  pasteForm.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (add.disabled || pasted.value.trim() === '') return;
    add.disabled = true;
    showFault(fault, undefined);
    const isKept = await bring('the text', JSON.stringify({ text: pasted.value }));
    if (isKept) pasted.value = '';
    add.disabled = false;
    await showList();
  });
}
