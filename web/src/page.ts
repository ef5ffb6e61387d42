/** The parts of index.html the program touches, found once and typed. */

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
  readonly faultMessage: HTMLElement;
  readonly faultDetail: HTMLElement;
  readonly facts: HTMLElement;
  readonly curl: HTMLElement;
  readonly copy: HTMLButtonElement;
  readonly copied: HTMLElement;
  readonly host: HTMLElement;
  readonly providers: HTMLElement;
}

/** Finds the page's parts. Throws when index.html and this list disagree. */
export function findPage(root: Document): Page {
  const find = <T extends HTMLElement>(id: string, type: new () => T): T => {
    const element = root.getElementById(id);
    if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
    return element;
  };
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
    faultMessage: find('fault-message', HTMLElement),
    faultDetail: find('fault-detail', HTMLElement),
    facts: find('facts', HTMLElement),
    curl: find('curl', HTMLElement),
    copy: find('copy', HTMLButtonElement),
    copied: find('copied', HTMLElement),
    host: find('host', HTMLElement),
    providers: find('providers', HTMLElement),
  };
}
