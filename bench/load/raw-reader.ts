/** One reader of an event stream on a bare socket: a thousand of them must cost next to nothing. */

import { connect, type Socket } from 'node:net';

const LF = 10;

/** FNV-1a's constants, for 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** All sockets read into it, one after the other: nothing is made for a read. */
const buffer = Buffer.allocUnsafe(64 * 1024);

/** What one reader has got. */
export interface RawReader {
  /** Parts between blank lines: events, and what a server says beside them. */
  blocks: number;
  /** Bytes of the body, without the transfer's own. */
  bytes: number;
  /** Of all bytes of the body, in order. */
  hash: number;
  /** The body, where it was to be kept. */
  readonly kept: Buffer[];
  /** The server has ended the body properly. */
  ended: boolean;
  /** Why it is no reader any more. */
  fault?: string;
  close(): void;
}

/** How a reader is opened. */
export interface RawReaderOptions {
  readonly url: string;
  /** Keeps the whole body. */
  readonly keep: boolean;
  /** Called after each read that brought something, and when it is over. */
  onNews(reader: RawReader): void;
}

/** Asks for `url` and reads until it is closed. The answer must be 200, chunked or not. */
export function openRawReader({ url, keep, onNews }: RawReaderOptions): RawReader {
  const { hostname, port, pathname, search, host } = new URL(url);
  let head: string | undefined = '';
  let isChunked = false;
  let previous = 0;
  // Where the next byte of a chunked body stands (RFC 9112 §7.1).
  let place: 'size' | 'extension' | 'data' | 'after' = 'size';
  let left = 0;

  const socket: Socket = connect({
    host: hostname,
    port: Number(port),
    onread: { buffer, callback: read },
  });
  const reader: RawReader = {
    blocks: 0,
    bytes: 0,
    hash: FNV_OFFSET,
    kept: [],
    ended: false,
    close: () => socket.destroy(),
  };

  function read(count: number): boolean {
    let at = 0;
    if (head !== undefined) {
      const before = head.length;
      head += buffer.toString('latin1', 0, count);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return true;
      at = end + 4 - before;
      if (!/^HTTP\/1\.1 200 /.test(head)) fail(head.slice(0, head.indexOf('\r\n')));
      isChunked = /\r\ntransfer-encoding: chunked\r\n/i.test(head);
      head = undefined;
    }
    if (!isChunked) take(at, count);
    else while (at < count) at = step(at, count);
    onNews(reader);
    return true;
  }

  function step(at: number, count: number): number {
    if (place === 'data') {
      const end = Math.min(count, at + left);
      take(at, end);
      left -= end - at;
      if (left === 0) place = 'after';
      return end;
    }
    const byte = buffer[at] ?? 0;
    if (place === 'after') {
      if (byte === LF) place = 'size';
    } else if (byte === LF) {
      if (left === 0) reader.ended = true;
      place = left === 0 ? 'after' : 'data';
    } else if (place === 'size') {
      const digit = Number.parseInt(String.fromCharCode(byte), 16);
      if (Number.isNaN(digit)) place = 'extension';
      else left = left * 16 + digit;
    }
    return at + 1;
  }

  function take(from: number, to: number): void {
    if (keep) reader.kept.push(Buffer.from(buffer.subarray(from, to)));
    let { hash, blocks } = reader;
    for (let at = from; at < to; at += 1) {
      const byte = buffer[at] ?? 0;
      hash = Math.imul(hash ^ byte, FNV_PRIME);
      if (byte === LF && previous === LF) blocks += 1;
      previous = byte;
    }
    reader.hash = hash;
    reader.blocks = blocks;
    reader.bytes += to - from;
  }

  function fail(fault: string): void {
    reader.fault ??= fault;
    socket.destroy();
  }

  socket.on('error', ({ message }) => fail(message));
  socket.on('close', () => {
    if (!reader.ended) reader.fault ??= 'the connection was cut';
    onNews(reader);
  });
  socket.write(
    `GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\naccept: text/event-stream\r\n\r\n`,
  );
  return reader;
}
