/** A reader that comes back until it has the whole stream, and checks every number on the way. */

import { parseEventId } from '@headwater/shared/stream/event';
import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** What a reader does after an event. */
export type Mood =
  /** Reads on. */
  | 'read'
  /** Drops the connection and comes back with its last id. */
  | 'cut'
  /** Forgets everything and comes back as a new reader. */
  | 'reload'
  /** Reads nothing for so many ms. */
  | { readonly stallMs: number };

/** How to read. */
export interface PatientOptions {
  /** Asked after each event, with the number of events so far. */
  mood?(events: number): Mood;
  /** Longest time until the end, in ms. Default 60 s. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What it read. */
export interface PatientResult {
  /** The answer, as a page would show it at the end. */
  readonly text: string;
  /** The final event, without its id. */
  readonly end: Readonly<Record<string, unknown>>;
  readonly restarts: number;
  readonly connections: number;
  /** Every breach of the rules of numbering; none in a good run. */
  readonly breaches: readonly string[];
}

/** Pause before a reader comes back, in ms. */
const RETRY_MS = 60;

type Fields = Readonly<Record<string, unknown>>;

/** Reads the typed form to its end, however often the line or the host breaks. */
export async function readPatiently(
  streamUrl: string,
  options: PatientOptions = {},
): Promise<PatientResult> {
  const untilMs = Date.now() + (options.timeoutMs ?? 60_000);
  const breaches: string[] = [];
  let text = '';
  let lastId = '';
  let end: Fields | undefined;
  let restarts = 0;
  let connections = 0;
  let events = 0;

  function forget(): void {
    text = '';
    lastId = '';
  }

  function take({ id, data }: EventSourceMessage): void {
    const { type, ...fields } = JSON.parse(data) as Fields;
    if (id === undefined) {
      // A word to this reader alone.
      if (type === 'restart') forget();
      return;
    }
    events += 1;
    checkOrder(id, type);
    lastId = id;
    if (type === 'restart') {
      restarts += 1;
      text = '';
    } else if (type === 'delta') text += String(fields['text']);
    else if (type === 'done' || type === 'error') end = { type, ...fields };
  }

  function checkOrder(id: string, type: unknown): void {
    const now = parseEventId(id);
    const before = lastId === '' ? undefined : parseEventId(lastId);
    if (end !== undefined) breaches.push(`${id} after the end`);
    if (now === undefined) breaches.push(`no id: ${id}`);
    else if (before === undefined) {
      if (now.seq !== 1) breaches.push(`begins with ${id}`);
    } else if (now.epoch === before.epoch) {
      if (now.seq !== before.seq + 1) breaches.push(`${id} after ${lastId}`);
    } else if (now.epoch < before.epoch || now.seq !== 1 || type !== 'restart') {
      breaches.push(`${id} (${String(type)}) after ${lastId}`);
    }
  }

  async function connect(): Promise<void> {
    const url = new URL(streamUrl);
    url.searchParams.set('format', 'json');
    const leave = new AbortController();
    const late = setTimeout(() => leave.abort(), Math.max(0, untilMs - Date.now()));
    connections += 1;
    try {
      const response = await fetch(url, {
        signal: leave.signal,
        headers: { ...options.headers, ...(lastId === '' ? {} : { 'last-event-id': lastId }) },
      });
      if (response.status !== 200) {
        await response.arrayBuffer();
        if (response.status < 500) breaches.push(`status ${response.status} after "${lastId}"`);
        if (response.status < 500) end ??= { type: 'refused', status: response.status };
        return;
      }
      const waiting: EventSourceMessage[] = [];
      const parser = createParser({ onEvent: (event) => waiting.push(event) });
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        parser.feed(chunk);
        for (const event of waiting.splice(0)) {
          take(event);
          const mood = options.mood?.(events) ?? 'read';
          if (mood === 'reload' && end === undefined) forget();
          if ((mood === 'cut' || mood === 'reload') && end === undefined) return;
          if (typeof mood === 'object') await sleep(mood.stallMs);
        }
      }
    } catch {
      // The host is down, or has just gone down: the reader comes back.
    } finally {
      clearTimeout(late);
      leave.abort();
    }
  }

  while (end === undefined) {
    if (Date.now() > untilMs) throw new Error(`no end after ${connections} connections: ${text}`);
    if (connections > 0) await sleep(RETRY_MS);
    await connect();
  }
  return { text, end, restarts, connections, breaches };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
