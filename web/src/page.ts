/** The parts of index.html's first half that the program touches, found once and typed. */

import { find } from './elements.ts';

/** Every element by its duty. */
export interface Page {
  readonly form: HTMLFormElement;
  readonly prompt: HTMLTextAreaElement;
  readonly model: HTMLInputElement;
  readonly more: HTMLDetailsElement;
  readonly token: HTMLInputElement;
  readonly tokenHint: HTMLElement;
  readonly resumeUrl: HTMLInputElement;
  readonly send: HTMLButtonElement;
  readonly stop: HTMLButtonElement;
  readonly status: HTMLElement;
  readonly answer: HTMLElement;
  readonly fault: HTMLElement;
  readonly facts: HTMLElement;
  readonly curl: HTMLElement;
  readonly copy: HTMLButtonElement;
  readonly copied: HTMLElement;
  readonly host: HTMLElement;
  readonly providers: HTMLElement;
}

/** Finds the page's parts. Throws when index.html and this list disagree. */
export function findPage(): Page {
  return {
    form: find('form', HTMLFormElement),
    prompt: find('prompt', HTMLTextAreaElement),
    model: find('model', HTMLInputElement),
    more: find('more', HTMLDetailsElement),
    token: find('token', HTMLInputElement),
    tokenHint: find('token-hint', HTMLElement),
    resumeUrl: find('resume-url', HTMLInputElement),
    send: find('send', HTMLButtonElement),
    stop: find('stop', HTMLButtonElement),
    status: find('status', HTMLElement),
    answer: find('answer', HTMLElement),
    fault: find('fault', HTMLElement),
    facts: find('facts', HTMLElement),
    curl: find('curl', HTMLElement),
    copy: find('copy', HTMLButtonElement),
    copied: find('copied', HTMLElement),
    host: find('host', HTMLElement),
    providers: find('providers', HTMLElement),
  };
}
