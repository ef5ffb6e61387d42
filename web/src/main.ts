/** Composition: reads the form, starts runs, keeps the curl true to the form. */

import { curlFor } from './curl.ts';
import { sendByKeys } from './elements.ts';
import { readHealth } from './health.ts';
import { findPage } from './page.ts';
import { type Run, startRun } from './run.ts';
import { showServices, wireServices } from './services.ts';
import { showHealth } from './show-health.ts';
import { createRunView } from './show-run.ts';

/** Shown in the curl where the gateway wants a token and the form has none. */
const TOKEN_PLACEHOLDER = '<n8nToken>';

const page = findPage();
const baseUrl = new URL('.', location.href).href;
const ports = {
  fetch: (url: string, init?: RequestInit) => fetch(url, init),
  openEventSource: (url: string) => new EventSource(url),
  wait: (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs)),
  baseUrl,
};

let run: Run | undefined;
let tokenNeeded = false;

function formRequest() {
  return {
    n8nToken: page.token.value.trim(),
    resumeUrl: page.resumeUrl.value.trim(),
    prompt: page.prompt.value,
    model: page.model.value.trim(),
  };
}

function refreshCurl() {
  const request = formRequest();
  const missing = tokenNeeded && request.n8nToken === '';
  const shown = missing ? { ...request, n8nToken: TOKEN_PLACEHOLDER } : request;
  page.curl.textContent = curlFor(shown, baseUrl);
}

async function copyCurl() {
  try {
    await navigator.clipboard.writeText(page.curl.textContent);
    page.copied.textContent = 'Copied.';
  } catch {
    // Plain http on another host has no clipboard: select the text, so that one key copies it.
    getSelection()?.selectAllChildren(page.curl);
    page.copied.textContent = 'Selected: press Ctrl+C.';
  }
}

page.resumeUrl.value = new URL('dev/callback', baseUrl).href;

page.form.addEventListener('submit', (event) => {
  event.preventDefault();
  // Ctrl+Enter gets here while a run is on too; Stop is the way to end that one.
  if (page.send.disabled) return;
  run?.abandon();
  run = startRun(formRequest(), createRunView(page), ports);
});
page.form.addEventListener('input', () => {
  page.copied.textContent = '';
  refreshCurl();
});
sendByKeys(page.form);
page.resumeUrl.addEventListener('invalid', () => {
  // The browser can only point at a faulty field that shows.
  page.more.open = true;
});
page.stop.addEventListener('click', () => void run?.stop());
page.copy.addEventListener('click', () => void copyCurl());

wireServices(ports, page.token);
refreshCurl();
const health = await readHealth(ports.fetch, baseUrl);
tokenNeeded = health !== undefined && !health.devMode;
showHealth(page, health);
refreshCurl();
if (health !== undefined) await showServices(ports.fetch, baseUrl, health.hasOrigin);
