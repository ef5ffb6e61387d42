/** Reads a file from front to back, or from anywhere, without ever having much of it in memory. */

import { GatewayError } from '@headwater/shared/protocol/errors';

/** Bytes that can be read at any place. */
export interface ByteSource {
  readonly size: number;
  /** At most `length` bytes from `at`; fewer only where the source ends. */
  read(at: number, length: number): Promise<Uint8Array>;
}

/** A place in a source. Values are read at `at` and move it on. */
export interface ByteCursor {
  readonly size: number;
  readonly at: number;
  seek(at: number): void;
  skip(bytes: number): void;
  /** The next `length` bytes, at most 1 MiB. Errors: {@link truncated}. */
  take(length: number): MaybeAsync<Uint8Array>;
  u8(): MaybeAsync<number>;
  u16(little?: boolean): MaybeAsync<number>;
  u32(little?: boolean): MaybeAsync<number>;
  /** Errors: {@link damaged} beyond 2^53. */
  u64(little?: boolean): MaybeAsync<number>;
  /** ASCII, such as the name of a chunk. */
  name(length: number): Promise<string>;
  /** Moves to the next byte of this value and says so; false, and to the end, where there is none. */
  find(byte: number): MaybeAsync<boolean>;
}

type MaybeAsync<T> = T | Promise<T>;

/** Bytes read at once. */
const WINDOW_BYTES = 64 * 1024;

/** Most bytes that {@link ByteCursor.take} gives. */
export const MAX_TAKE_BYTES = 1024 * 1024;

/** Chunks or blocks of a file that are looked at, at most; real files have far fewer. */
export const MAX_PARTS = 100_000;

/** The refusal of a file that ends before its own structure does. */
export function truncated(): GatewayError {
  return new GatewayError('validation_failed', 'is truncated: it ends before it is complete.');
}

/** The refusal of a file that contradicts its own format. */
export function damaged(): GatewayError {
  return new GatewayError('validation_failed', 'is damaged: its structure makes no sense.');
}

/** Makes a cursor at the start of a source. */
export function createByteCursor(source: ByteSource): ByteCursor {
  let window: Uint8Array = new Uint8Array(0);
  let windowAt = 0;
  let view = new DataView(window.buffer);
  let at = 0;

  const has = (length: number): boolean =>
    at >= windowAt && at + length <= windowAt + window.length;

  async function fill(length: number): Promise<void> {
    if (length > MAX_TAKE_BYTES) throw damaged();
    if (at + length > source.size) throw truncated();
    window = await source.read(at, Math.max(length, WINDOW_BYTES));
    windowAt = at;
    view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    // The file became shorter while it was read.
    if (window.length < length) throw truncated();
  }

  /** Without a promise where the bytes are there: formats have millions of tiny parts. */
  function next<T>(length: number, read: (offset: number) => T): MaybeAsync<T> {
    const value = (): T => {
      const offset = at - windowAt;
      at += length;
      return read(offset);
    };
    return has(length) ? value() : fill(length).then(value);
  }

  const cursor: ByteCursor = {
    size: source.size,
    get at() {
      return at;
    },
    seek(to) {
      at = to;
    },
    skip(bytes) {
      at += bytes;
    },
    take: (length) => next(length, (offset) => window.subarray(offset, offset + length)),
    u8: () => next(1, (offset) => view.getUint8(offset)),
    u16: (little = false) => next(2, (offset) => view.getUint16(offset, little)),
    u32: (little = false) => next(4, (offset) => view.getUint32(offset, little)),
    u64: (little = false) =>
      next(8, (offset) => {
        const value = Number(view.getBigUint64(offset, little));
        if (!Number.isSafeInteger(value)) throw damaged();
        return value;
      }),
    async name(length) {
      return String.fromCharCode(...(await cursor.take(length)));
    },
    find(byte) {
      if (at >= source.size) return false;
      if (!has(1)) return fill(1).then(() => cursor.find(byte));
      const found = window.indexOf(byte, at - windowAt);
      at = found >= 0 ? windowAt + found : windowAt + window.length;
      return found >= 0 ? true : cursor.find(byte);
    },
  };
  return cursor;
}
