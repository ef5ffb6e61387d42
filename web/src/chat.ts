/** Chat: a conversation that the gateway remembers. */

import { startAnswer } from './answer-run.ts';
import { element, find, sendByKeys, showFault } from './elements.ts';
import type { Run } from './run.ts';
import type { ServicePorts } from './services.ts';
import { createRunView } from './show-run.ts';
import { type Fault, fieldsOf, textOf } from './wire.ts';

/** Wires the form. */
export function wireChat(ports: ServicePorts): void {
  const form = find('chat-form', HTMLFormElement);
  const message = find('chat-message', HTMLTextAreaElement);
  const send = find('chat-send', HTMLButtonElement);
  const stop = find('chat-stop', HTMLButtonElement);
  const begin = find('chat-new', HTMLButtonElement);
  const log = find('chat-log', HTMLElement);
  const status = find('chat-status', HTMLElement);
  const fault = find('chat-fault', HTMLElement);
  const session = find('chat-session', HTMLElement);
  let sessionId: string | undefined;
  let run: Run | undefined;

  function showSession(id: string | undefined) {
    sessionId = id;
    session.textContent = id === undefined ? '' : `Kept as ${id}.`;
  }

  function ask(asked: string) {
    const answer = element('p', { class: 'said' });
    const facts = element('dl', { class: 'facts' });
    const warnings = element('p', { class: 'hint' });
    log.append(
      element('p', { class: 'said asked' }, asked),
      element('article', { 'aria-label': 'Answer' }, answer, warnings, facts),
    );
    log.scrollTop = log.scrollHeight;
    const parts = { send, stop, status, answer, scroller: log, fault, facts };
    const shown = createRunView(parts);
    const view = {
      ...shown,
      fault(refusal: Fault) {
        shown.fault(refusal);
        // Nobody should have to write it again.
        if (message.value === '') message.value = asked;
      },
      note(name: string, data: unknown) {
        if (name !== 'chat') return;
        const { session_id, warnings: words } = fieldsOf(data);
        showSession(textOf(session_id) ?? sessionId);
        warnings.textContent = Array.isArray(words) ? words.map(String).join(' ') : '';
      },
    };
    const kept = sessionId === undefined ? {} : { session_id: sessionId };
    const body = { message: asked, ...kept, ...ports.wishes() };
    run = startAnswer({ path: 'ai/chat', headers: ports.headers(), body }, view, ports);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (send.disabled || message.value.trim() === '') return;
    ask(message.value);
    message.value = '';
    message.focus();
  });
  sendByKeys(form);
  stop.addEventListener('click', () => void run?.stop());
  begin.addEventListener('click', () => {
    run?.abandon();
    showSession(undefined);
    log.replaceChildren();
    showFault(fault, undefined);
    status.textContent = 'A new conversation';
    status.setAttribute('data-phase', 'idle');
    send.disabled = false;
    stop.disabled = true;
    message.focus();
  });
}
