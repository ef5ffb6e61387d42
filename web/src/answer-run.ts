/** One answer of a text service: a POST whose body is the stream. No DOM: the page is told. */

import type { Run, RunPorts, RunView } from './run.ts';
import { createSseParser, type SseEvent } from './sse-parser.ts';
import { type StreamAddress, streamAddress } from './stream-client.ts';
import { readState, stopStream } from './stream-state.ts';
import { type Fault, faultIn, faultOf, fieldsOf, parseJson, textOf, UNREACHABLE } from './wire.ts';

/** What is asked, and of whom. */
export interface AnswerRequest {
  /** Below the page's own address, such as `ai/chat`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `stream: true` is added. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What an answer tells the page; it may be told the same note again after a `restart`. */
export interface AnswerView extends RunView {
  note(name: string, data: unknown): void;
}

/** What an answer needs from its surroundings. */
export type AnswerPorts = Pick<RunPorts, 'fetch' | 'wait' | 'baseUrl'>;

/** Wait before a reader that was cut comes back, in ms: as long as the gateway asks of browsers. */
const RETURN_MS = 1_000;

/** Cuts in a row without any event after which a reader gives up. */
const MAX_CUTS = 5;

const CUT: Fault = {
  code: 'unreachable',
  message: 'The connection was lost, and the answer could not be gone on with.',
};

/** How a body ended: with the answer's own last event, or in the middle of it. */
type BodyEnd = 'last-event' | { readonly cut: Fault };

/** Asks at once; everything there is to say goes to `view`. Never throws. */
export function startAnswer(request: AnswerRequest, view: AnswerView, ports: AnswerPorts): Run {
  const reading = new AbortController();
  let address: StreamAddress | undefined;
  let lastId = '';
  let cuts = 0;
  let stopped = false;
  let abandoned = false;

  const fail = (fault: Fault) => {
    if (abandoned) return;
    view.fault(fault);
    view.phase('failed');
  };

  function hear({ id, data }: SseEvent): BodyEnd | undefined {
    const event = fieldsOf(parseJson(data));
    const { type } = event;
    if (id !== undefined) {
      lastId = id;
      cuts = 0;
    }
    if (type === 'note') view.note(textOf(event['name']) ?? '', event['data']);
    else if (type === 'delta') {
      view.phase('streaming');
      view.text(textOf(event['text']) ?? '');
    } else if (type === 'restart') {
      view.phase('waiting');
      view.restart();
    } else if (type === 'error') {
      const fault = faultOf(event, CUT.message);
      // Without an id it ends this reader alone, such as one that was too slow.
      if (id === undefined) return { cut: fault };
      fail(fault);
      return 'last-event';
    } else if (type === 'done') {
      view.phase(event['status'] === 'cancelled' ? 'stopped' : 'completed');
      return 'last-event';
    }
    return undefined;
  }

  async function readBody(response: Response): Promise<BodyEnd> {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const parse = createSseParser();
    try {
      for (;;) {
        const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
        if (reading.signal.aborted || done || value === undefined) return { cut: CUT };
        for (const event of parse(value)) {
          const end = hear(event);
          if (end !== undefined) return end;
        }
      }
    } catch {
      // A connection that breaks says no more than that; the stream is gone on with.
      return { cut: CUT };
    } finally {
      void reader?.cancel().catch(() => {
        // It broke already: there is nothing left to let go.
      });
    }
  }

  /** The rest, from the last event on. `last-event` where there is none. */
  async function goOn(opened: StreamAddress): Promise<BodyEnd> {
    const from = `${opened.stream}&last_event_id=${encodeURIComponent(lastId)}`;
    const response = await ports.fetch(from, { signal: reading.signal }).catch(() => undefined);
    if (response === undefined) return { cut: CUT };
    if (response.ok && response.status !== 204) return readBody(response);
    if (response.status === 204) {
      view.phase('completed');
      return 'last-event';
    }
    const fault = await faultIn(response);
    // A gateway that is just starting again will have the rest in a moment.
    if (response.status >= 500) return { cut: fault };
    fail(fault);
    return 'last-event';
  }

  async function showState(opened: StreamAddress) {
    const look = await readState(ports.fetch, opened.state);
    // A failed look costs the numbers below the answer, not the answer.
    if (look.ok && !abandoned) view.state(look.value);
  }

  async function stopOpened(opened: StreamAddress) {
    const answer = await stopStream(ports.fetch, opened.stream);
    if (abandoned) return;
    if (!answer.ok) view.fault(answer.fault);
    await showState(opened);
  }

  async function follow(first: Response, opened: StreamAddress) {
    let end = await readBody(first);
    while (end !== 'last-event' && !reading.signal.aborted) {
      cuts += 1;
      if (cuts > MAX_CUTS) return fail(end.cut);
      view.phase('reconnecting');
      await ports.wait(RETURN_MS);
      if (!reading.signal.aborted) end = await goOn(opened);
    }
    if (!reading.signal.aborted) await showState(opened);
  }

  async function begin() {
    const { path, headers, body } = request;
    const response = await ports
      .fetch(new URL(path, ports.baseUrl).href, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, stream: true }),
        signal: reading.signal,
      })
      .catch(() => undefined);
    if (abandoned) return;
    if (response === undefined) return fail(UNREACHABLE);
    if (!response.ok) return fail(await faultIn(response));
    address = streamAddress(response.headers.get('x-stream-url') ?? '', ports.baseUrl);
    if (stopped) {
      void response.body?.cancel();
      return stopOpened(address);
    }
    view.phase('waiting');
    await follow(response, address);
  }

  view.phase('opening');
  void begin();

  return {
    async stop() {
      if (stopped) return;
      stopped = true;
      view.phase('stopped');
      if (address === undefined) return;
      reading.abort();
      await stopOpened(address);
    },
    abandon() {
      abandoned = true;
      reading.abort();
    },
  };
}
