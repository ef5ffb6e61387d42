/** One script: asked for, followed and stopped. No DOM: the page is told. */

import type { AnswerRequest } from './answer-run.ts';
import type { Run, RunPorts, RunView } from './run.ts';
import { parseScript } from './script-data.ts';
import { readStream, type StreamEvent, streamAddress } from './stream-client.ts';
import { fieldsOf, requestJson, textOf } from './wire.ts';

/** What a script tells the page. */
export interface ScriptView extends RunView {
  /** `share` is 0–1; `stage` names the part that is written. */
  progress(share: number, stage: string): void;
  /** Words of the whole script, as the gateway counts them. */
  wordCount(words: number): void;
  warnings(warnings: readonly string[]): void;
}

/** Asks at once; everything there is to say goes to `view`. Never throws. */
export function startScript(
  { path, headers, body }: AnswerRequest,
  view: ScriptView,
  ports: Pick<RunPorts, 'fetch' | 'openEventSource' | 'baseUrl'>,
): Run {
  let scriptUrl: string | undefined;
  let closeStream = () => {};
  let stopped = false;
  let abandoned = false;

  /** Shows what became of it; one whose end has not been noted yet stays as the events left it. */
  async function look(url: string) {
    const answer = await requestJson(ports.fetch, url, { headers });
    if (abandoned) return;
    if (!answer.ok) {
      view.fault(answer.fault);
      view.phase('failed');
      return;
    }
    const { phase, facts, wordCount, warnings, fault } = parseScript(answer.value);
    view.state(facts);
    view.warnings(warnings);
    if (wordCount !== undefined) view.wordCount(wordCount);
    if (fault !== undefined) view.fault(fault);
    if (phase !== undefined) view.phase(phase);
  }

  function hear(event: StreamEvent, url: string) {
    if (event.type === 'open') view.phase('waiting');
    else if (event.type === 'reconnecting') view.phase('reconnecting');
    else if (event.type === 'restart') view.restart();
    else if (event.type === 'progress') view.progress(event.share, event.stage);
    else if (event.type === 'text') {
      view.phase('streaming');
      view.text(event.text);
    } else {
      if (event.type === 'fault') view.phase('failed');
      void look(url);
    }
  }

  async function stopAt(url: string) {
    const answer = await requestJson(ports.fetch, url, { method: 'DELETE', headers });
    if (!answer.ok && !abandoned) view.fault(answer.fault);
    await look(url);
  }

  async function begin() {
    const url = new URL(path, ports.baseUrl).href;
    const answer = await requestJson(ports.fetch, url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, stream: true }),
    });
    if (abandoned) return;
    if (!answer.ok) {
      view.fault(answer.fault);
      view.phase('failed');
      return;
    }
    const { generation_id, stream_url } = fieldsOf(answer.value);
    const ownUrl = `${url}/${encodeURIComponent(textOf(generation_id) ?? '')}`;
    scriptUrl = ownUrl;
    if (stopped) return stopAt(ownUrl);
    const { stream } = streamAddress(textOf(stream_url) ?? '', ports.baseUrl);
    closeStream = readStream(ports.openEventSource(stream), (event) => hear(event, ownUrl));
  }

  view.phase('opening');
  void begin();

  return {
    async stop() {
      if (stopped) return;
      stopped = true;
      closeStream();
      view.phase('stopped');
      if (scriptUrl !== undefined) await stopAt(scriptUrl);
    },
    abandon() {
      abandoned = true;
      closeStream();
    },
  };
}
