/** Shows a run on the page. */

import type { Page } from './page.ts';
import type { RunPhase, RunView } from './run.ts';
import type { CallbackState, StreamState } from './stream-state.ts';

const PHASE_WORDS: Readonly<Record<RunPhase, string>> = {
  opening: 'Opening a stream…',
  waiting: 'Waiting for the first words…',
  streaming: 'Streaming…',
  reconnecting: 'Connection lost. Reconnecting: the answer goes on where it stopped…',
  completed: 'Complete',
  stopped: 'Stopped',
  failed: 'Failed',
};

const LAST_PHASES: readonly RunPhase[] = ['completed', 'stopped', 'failed'];

/** Pixels from the bottom within which a reader still counts as following the answer. */
const FOLLOW_MARGIN_PX = 40;

function callbackWords(callback: CallbackState): string {
  const tries = callback.attempts === 1 ? '1 attempt' : `${callback.attempts} attempts`;
  if (callback.status === 'delivered') return `delivered (${tries})`;
  if (callback.status === 'failed') return `not delivered: given up after ${tries}`;
  return callback.attempts === 0 ? 'on its way' : `not delivered yet (${tries}), still trying`;
}

function countWords(count: number | undefined): string {
  return count === undefined ? 'not reported' : count.toLocaleString('en');
}

/** The rows below an answer, in reading order: label and value. */
function factRows(state: StreamState): [label: string, value: string][] {
  const rows: [string, string][] = [
    ['Tokens in', countWords(state.inputTokens)],
    ['Tokens out', countWords(state.outputTokens)],
  ];
  if (state.model !== undefined) rows.push(['Model', state.model]);
  if (state.provider !== undefined) rows.push(['Provider', state.provider]);
  if (state.callback !== undefined) rows.push(['Callback', callbackWords(state.callback)]);
  return rows;
}

/** Clears the page for a new run and returns the view that shows it. */
export function createRunView(page: Page): RunView {
  const text = document.createTextNode('');
  page.answer.replaceChildren(text);
  page.fault.hidden = true;
  page.facts.replaceChildren();

  return {
    phase(phase) {
      const ended = LAST_PHASES.includes(phase);
      // The focused button must not vanish from under a keyboard: it moves to the other one.
      const focused = document.activeElement;
      page.send.disabled = !ended;
      page.stop.disabled = ended;
      if (ended && focused === page.stop) page.send.focus();
      if (!ended && focused === page.send) page.stop.focus();
      if (page.status.textContent !== PHASE_WORDS[phase]) {
        page.status.textContent = PHASE_WORDS[phase];
      }
      page.status.setAttribute('data-phase', phase);
      // A screen reader then reads the answer once, at its end, instead of word by word.
      page.answer.ariaBusy = String(!ended);
    },
    text(more) {
      const { answer } = page;
      const below = answer.scrollHeight - answer.scrollTop - answer.clientHeight;
      text.appendData(more);
      if (below < FOLLOW_MARGIN_PX) answer.scrollTop = answer.scrollHeight;
    },
    restart() {
      text.data = '';
    },
    fault(fault) {
      page.faultMessage.textContent = fault.message;
      const request = fault.requestId === undefined ? '' : ` · request ${fault.requestId}`;
      page.faultDetail.textContent = `${fault.code}${request}`;
      page.fault.hidden = false;
    },
    state(state) {
      page.facts.replaceChildren(
        ...factRows(state).map(([label, value]) => {
          const row = document.createElement('div');
          const term = document.createElement('dt');
          const description = document.createElement('dd');
          term.textContent = label;
          description.textContent = value;
          row.append(term, description);
          return row;
        }),
      );
    },
  };
}
