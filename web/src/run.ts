/** One run: from Send to the fate of the callback. No DOM: the page is told what to show. */

import type { StreamEvent, StreamRequest } from './stream-client.ts';
import {
  type EventSourceLike,
  initStream,
  readStream,
  type StreamAddress,
} from './stream-client.ts';
import { followState, isEnded, readState, type StreamState, stopStream } from './stream-state.ts';
import type { Fault, Fetch, Result } from './wire.ts';

/** Where a run stands. The last three take no more text. */
export type RunPhase =
  | 'opening'
  | 'waiting'
  | 'streaming'
  | 'reconnecting'
  | 'completed'
  | 'stopped'
  | 'failed';

/** What a run tells the page. */
export interface RunView {
  phase(phase: RunPhase): void;
  text(text: string): void;
  /** The answer begins again: what was shown of it goes. */
  restart(): void;
  fault(fault: Fault): void;
  state(state: StreamState): void;
}

/** What a run needs from its surroundings. */
export interface RunPorts {
  readonly fetch: Fetch;
  readonly openEventSource: (url: string) => EventSourceLike;
  readonly wait: (delayMs: number) => Promise<void>;
  /** The page's own address; every call is made relative to it. */
  readonly baseUrl: string;
}

/** A started run. */
export interface Run {
  /** Stops the model and keeps what was said. */
  stop(): Promise<void>;
  /** Forgets the run: closes its connection and tells the page nothing more. */
  abandon(): void;
}

const REFUSED: Fault = {
  code: 'unavailable',
  message: 'The gateway would not open the stream. Send the prompt again.',
};

const PHASE_OF_STATUS: Readonly<Record<string, RunPhase>> = {
  completed: 'completed',
  cancelled: 'stopped',
  failed: 'failed',
  expired: 'failed',
};

/** Starts a run at once; everything it has to say goes to `view`. Never throws. */
export function startRun(request: StreamRequest, view: RunView, ports: RunPorts): Run {
  const abort = new AbortController();
  let address: StreamAddress | undefined;
  let closeStream = () => {};
  let stopped = false;
  let hasText = false;
  let hasFault = false;

  const showFault = (fault: Fault) => {
    hasFault = true;
    view.fault(fault);
  };
  const fail = (fault: Fault) => {
    showFault(fault);
    view.phase('failed');
  };

  const follow = (stateUrl: string) =>
    followState(stateUrl, { ...ports, signal: abort.signal }, (look) => {
      // A failed look costs the numbers below the answer, not the answer: nothing to shout about.
      if (!look.ok) return;
      view.state(look.value);
      const phase = isEnded(look.value) ? PHASE_OF_STATUS[look.value.status] : undefined;
      if (phase !== undefined) view.phase(phase);
      if (phase === 'failed' && look.value.error && !hasFault) showFault(look.value.error);
    });

  const explainRefusal = async (stateUrl: string) => {
    const look = await readState(ports.fetch, stateUrl);
    if (abort.signal.aborted) return;
    if (!look.ok) fail(look.fault);
    else if (isEnded(look.value)) await follow(stateUrl);
    else fail(REFUSED);
  };

  const hear = (event: StreamEvent, stateUrl: string) => {
    if (event.type === 'open') view.phase(hasText ? 'streaming' : 'waiting');
    else if (event.type === 'reconnecting') view.phase('reconnecting');
    else if (event.type === 'refused') void explainRefusal(stateUrl);
    else if (event.type === 'restart') {
      hasText = false;
      view.phase('waiting');
      view.restart();
    } else if (event.type === 'text') {
      hasText = true;
      view.phase('streaming');
      view.text(event.text);
    } else if (event.type !== 'progress') {
      if (event.type === 'fault') fail(event.fault);
      else view.phase('completed');
      void follow(stateUrl);
    }
  };

  const stopOpened = async (opened: StreamAddress) => {
    const answer = await stopStream(ports.fetch, opened.stream);
    if (abort.signal.aborted) return;
    if (!answer.ok) showFault(answer.fault);
    await follow(opened.state);
  };

  const begin = async (opening: Promise<Result<StreamAddress>>) => {
    const opened = await opening;
    if (!opened.ok) {
      if (!abort.signal.aborted) fail(opened.fault);
      return;
    }
    address = opened.value;
    // Stopped while it was opening: the stream exists now and must be told, even if forgotten here.
    if (stopped) await stopOpened(address);
    if (stopped || abort.signal.aborted) return;
    const { stream, state } = address;
    closeStream = readStream(ports.openEventSource(stream), (event) => hear(event, state));
  };

  view.phase('opening');
  void begin(initStream(ports.fetch, ports.baseUrl, request));

  return {
    async stop() {
      if (stopped) return;
      stopped = true;
      closeStream();
      view.phase('stopped');
      if (address !== undefined) await stopOpened(address);
    },
    abandon() {
      abort.abort();
      closeStream();
    },
  };
}
