/** A question to the documents, and what its answer rests on. */

import { startAnswer } from './answer-run.ts';
import { element, find, sendByKeys } from './elements.ts';
import { citedNumbers, parseSources, quoteFor, type Source } from './rag-data.ts';
import type { Run } from './run.ts';
import type { ServicePorts } from './services.ts';
import { createRunView } from './show-run.ts';

/** Wires the form. */
export function wireQuestion(ports: ServicePorts): void {
  const form = find('rag-form', HTMLFormElement);
  const question = find('rag-question', HTMLTextAreaElement);
  const send = find('rag-send', HTMLButtonElement);
  const stop = find('rag-stop', HTMLButtonElement);
  const status = find('rag-status', HTMLElement);
  const answer = find('rag-answer', HTMLElement);
  const fault = find('rag-fault', HTMLElement);
  const facts = find('rag-facts', HTMLElement);
  const passages = find('rag-sources', HTMLElement);
  let run: Run | undefined;

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (send.disabled || question.value.trim() === '') return;
    let sources: readonly Source[] = [];
    passages.replaceChildren();
    const shown = createRunView({ send, stop, status, answer, fault, facts });
    const view = {
      ...shown,
      note(name: string, data: unknown) {
        if (name === 'sources') sources = parseSources(data);
      },
      state(state: Parameters<typeof shown.state>[0]) {
        shown.state(state);
        showSources(passages, sources, answer.textContent);
      },
    };
    const body = { question: question.value, ...ports.wishes() };
    run = startAnswer({ path: 'ai/rag', headers: ports.headers(), body }, view, ports);
  });
  sendByKeys(form);
  stop.addEventListener('click', () => void run?.stop());
}

/** What the answer cites is quoted; the rest of what the model read is a click away. */
function showSources(box: HTMLElement, sources: readonly Source[], answer: string): void {
  const numbers = citedNumbers(answer);
  const cited = sources.filter(({ number }) => numbers.has(number));
  const others = sources.filter(({ number }) => !numbers.has(number));
  if (cited.length > 0) {
    const quotes = cited.map((source) => {
      const quote = element('blockquote', {}, quoteFor(answer, source.text));
      return sourceItem(source, quote, folded('Whole passage', passageOf(source)));
    });
    box.append(element('h4', {}, 'Cited passages'), element('ul', {}, ...quotes));
  }
  if (others.length === 0) return;
  const words = cited.length > 0 ? 'Found as well' : 'Found, but not cited';
  const items = others.map((source) => sourceItem(source, passageOf(source)));
  box.append(folded(`${words} (${others.length})`, element('ul', {}, ...items)));
}

function sourceItem({ number, title, heading, page }: Source, ...parts: Node[]): HTMLLIElement {
  const place = new Set([title, heading, page === undefined ? '' : `page ${page}`]);
  place.delete('');
  const mark = element('strong', {}, `[${number}]`);
  return element('li', {}, element('p', {}, mark, ` ${[...place].join(' · ')}`), ...parts);
}

/** It scrolls, so that a keyboard must reach it. */
function passageOf({ text }: Source): HTMLElement {
  return element('blockquote', { tabindex: '0' }, text);
}

function folded(title: string, part: Node): HTMLDetailsElement {
  return element('details', {}, element('summary', {}, title), part);
}
