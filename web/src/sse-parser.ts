/** Reads `text/event-stream` that comes by fetch, in pieces that may be cut anywhere. */

/** One event. */
export interface SseEvent {
  /** Of this event itself; absent where it has none, which `EventSource` would hide. */
  readonly id?: string;
  /** Default `message`. */
  readonly type: string;
  readonly data: string;
}

/**
 * Returns a function that takes the next piece and gives the events that are whole by then, as the
 * HTML standard parses them (§9.2.6). An event that the body ends in the middle of is never given.
 */
export function createSseParser(): (piece: string) => SseEvent[] {
  let rest = '';
  let endedInCr = false;
  let id: string | undefined;
  let type = '';
  let data: string[] = [];

  function readLine(line: string): SseEvent | undefined {
    if (line === '') return takeEvent();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') type = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
    return undefined;
  }

  function takeEvent(): SseEvent | undefined {
    const event =
      data.length === 0
        ? undefined
        : { ...(id === undefined ? {} : { id }), type: type || 'message', data: data.join('\n') };
    id = undefined;
    type = '';
    data = [];
    return event;
  }

  return (piece) => {
    if (piece === '') return [];
    // CRLF is one end of a line, also where the cut is between the two.
    const text = endedInCr && piece.startsWith('\n') ? piece.slice(1) : piece;
    endedInCr = piece.endsWith('\r');
    const lines = (rest + text).split(/\r\n|\r|\n/);
    rest = lines.pop() ?? '';
    return lines.flatMap((line) => readLine(line) ?? []);
  };
}
