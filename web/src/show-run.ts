/** Shows a run on the page. */

import { element, showFault } from './elements.ts';
import type { RunPhase, RunView } from './run.ts';
import type { CallbackState, StreamState } from './stream-state.ts';

/** Where a run is shown, and what starts and ends it. */
export interface RunParts {
  readonly send: HTMLButtonElement;
  readonly stop: HTMLButtonElement;
  readonly status: HTMLElement;
  readonly answer: HTMLElement;
  /** What scrolls along with a growing answer. Default: the answer itself. */
  readonly scroller?: HTMLElement;
  readonly fault: HTMLElement;
  readonly facts: HTMLElement;
}

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

/** Small answers cost fractions of a cent: three digits that say something. */
function costWords(usd: number): string {
  return `$${usd.toLocaleString('en', { maximumSignificantDigits: 3 })}`;
}

/** The rows below an answer, in reading order: label and value. */
function factRows(state: StreamState): [label: string, value: string][] {
  const rows: [string, string][] = [
    ['Tokens in', countWords(state.inputTokens)],
    ['Tokens out', countWords(state.outputTokens)],
  ];
  if (state.model !== undefined) rows.push(['Model', state.model]);
  if (state.provider !== undefined) rows.push(['Provider', state.provider]);
  if (state.costUsd !== undefined) rows.push(['Cost', costWords(state.costUsd)]);
  if (state.callback !== undefined) rows.push(['Callback', callbackWords(state.callback)]);
  return rows;
}

/** Clears the parts for a new run and returns the view that shows it. */
export function createRunView(parts: RunParts): RunView {
  const { send, stop, status, answer, scroller = answer, fault: faultBox, facts } = parts;
  const text = document.createTextNode('');
  answer.replaceChildren(text);
  facts.replaceChildren();
  showFault(faultBox, undefined);

  return {
    phase(phase) {
      const ended = LAST_PHASES.includes(phase);
      // The focused button must not vanish from under a keyboard: it moves to the other one.
      const focused = document.activeElement;
      send.disabled = !ended;
      stop.disabled = ended;
      if (ended && focused === stop) send.focus();
      if (!ended && focused === send) stop.focus();
      if (status.textContent !== PHASE_WORDS[phase]) status.textContent = PHASE_WORDS[phase];
      status.setAttribute('data-phase', phase);
      // A screen reader then reads the answer once, at its end, instead of word by word.
      answer.ariaBusy = String(!ended);
    },
    text(more) {
      const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
      text.appendData(more);
      if (below < FOLLOW_MARGIN_PX) scroller.scrollTop = scroller.scrollHeight;
    },
    restart() {
      text.data = '';
    },
    fault(fault) {
      showFault(faultBox, fault);
    },
    state(state) {
      facts.replaceChildren(
        ...factRows(state).map(([label, value]) =>
          element('div', {}, element('dt', {}, label), element('dd', {}, value)),
        ),
      );
    },
  };
}
