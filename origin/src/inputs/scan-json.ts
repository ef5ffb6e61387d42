/** Reads JSON of any size: what is long in it goes to files, the rest is parsed as it always is. */

import { randomUUID } from 'node:crypto';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { ByteBudget } from './byte-budget.ts';
import { type LongText, markLongText, notJson } from './long-text.ts';
import type { Spool } from './spool.ts';

/** Bytes from which a string is long. */
const LONG_BYTES = 32 * 1024;

/** Deepest nesting; what walks through the values afterwards does so by recursion. */
const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** What it is wired to. */
export interface ScanPorts {
  readonly spool: Pick<Spool, 'write'>;
  /** Bytes of everything that is not a long string. */
  readonly shortBudget: ByteBudget;
  /** Bytes of all of it. */
  readonly wholeBudget: ByteBudget;
  /** Hears of each file as it is written; whoever listens deletes it. */
  readonly wrote: (path: string) => void;
}

/**
 * Gives the value, with a {@link LongText} for each string from 32 KiB on. Errors:
 * `validation_failed` for what is no JSON or too deep; those of the budgets and of the spool.
 */
export async function scanJson(
  source: AsyncIterable<Uint8Array>,
  ports: ScanPorts,
): Promise<unknown> {
  const input = createInput(source, ports.wholeBudget);
  try {
    return await scanInput(input, ports);
  } finally {
    // A body that is still read by somebody cannot be let go of.
    await input.close();
  }
}

async function scanInput(
  input: Input,
  { spool, shortBudget, wrote }: Omit<ScanPorts, 'wholeBudget'>,
): Promise<unknown> {
  const small = await input.peekWhole(LONG_BYTES);
  if (small !== undefined && countOpenings(small) <= MAX_DEPTH) {
    // Nothing in it can be long, or too deep.
    shortBudget.take(small.length);
    return parse([small]);
  }
  const short: Uint8Array[] = [];
  const texts: LongText[] = [];
  // Nobody can write a string that passes for one of these, as nobody knows it.
  const placeholder = `${randomUUID()}:`;
  let depth = 0;

  function keep(bytes: Uint8Array): void {
    shortBudget.take(bytes.length);
    short.push(bytes);
  }

  function measure(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (OPENING.has(byte)) depth += 1;
      if (CLOSING.has(byte)) depth -= 1;
      if (depth > MAX_DEPTH) {
        throw new GatewayError('validation_failed', `The body is nested deeper than ${MAX_DEPTH}.`);
      }
    }
  }

  while (await input.more()) {
    const outside = input.takeTo(QUOTE);
    measure(outside);
    keep(outside);
    if (outside.at(-1) !== QUOTE) continue;
    const content = readString(input);
    const { head, isLong } = await takeHead(content);
    if (!isLong) {
      for (const piece of head) keep(piece);
    } else {
      const file = await spool.write(chain(head, content));
      wrote(file.path);
      keep(Buffer.from(`${placeholder}${texts.length}`));
      texts.push(markLongText(file));
    }
    keep(Buffer.of(QUOTE));
  }

  const parsed = parse(short);
  return texts.length === 0 ? parsed : replace(parsed, placeholder, texts);
}

/** Brackets that open, those within strings among them: no value is nested deeper. */
function countOpenings(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === 0x5b || byte === 0x7b) count += 1;
  return count;
}

/** The chunks of a source, and a place in the current one. */
interface Input {
  /** All bytes, where there are at most so many; they are still to be read. Called first. */
  peekWhole(maxBytes: number): Promise<Uint8Array | undefined>;
  /** Whether there is a byte; waits for it. */
  more(): Promise<boolean>;
  /** The rest of the chunk, or what ends with this byte, whichever is shorter. */
  takeTo(byte: number): Uint8Array;
  /** The next bytes of the string, and whether it ends with them; its quote is not among them. */
  takeString(): { readonly piece: Uint8Array; readonly isOver: boolean };
  /** Reads no more. */
  close(): Promise<void>;
}

function createInput(source: AsyncIterable<Uint8Array>, budget: ByteBudget): Input {
  const chunks = source[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  let at = 0;
  /** The string's last byte was a backslash, and the byte it escapes is in the next chunk. */
  let isEscaping = false;

  /** The next chunk; `undefined` after the last one. */
  async function pull(): Promise<Uint8Array | undefined> {
    const next = await chunks.next().catch((cause: unknown) => {
      throw brokenBody(cause);
    });
    if (next.done === true) return undefined;
    budget.take(next.value.length);
    return next.value;
  }

  function take(end: number): Uint8Array {
    const piece = chunk.subarray(at, end);
    at = end;
    return piece;
  }

  function endOfString(): number {
    let from = isEscaping ? at + 1 : at;
    isEscaping = false;
    let quote = chunk.indexOf(QUOTE, from);
    let backslash = chunk.indexOf(BACKSLASH, from);
    while (backslash >= 0 && (quote < 0 || backslash < quote)) {
      from = backslash + 2;
      isEscaping = from > chunk.length;
      if (quote >= 0 && quote < from) quote = chunk.indexOf(QUOTE, from);
      backslash = chunk.indexOf(BACKSLASH, from);
    }
    return quote;
  }

  return {
    async peekWhole(maxBytes) {
      for (;;) {
        const next = await pull();
        if (next === undefined) return chunk;
        chunk = chunk.length === 0 ? next : Buffer.concat([chunk, next]);
        if (chunk.length > maxBytes) return undefined;
      }
    },
    async more() {
      while (at >= chunk.length) {
        const next = await pull();
        if (next === undefined) return false;
        chunk = next;
        at = 0;
      }
      return true;
    },
    takeTo(byte) {
      const found = chunk.indexOf(byte, at);
      return take(found < 0 ? chunk.length : found + 1);
    },
    takeString() {
      const quote = endOfString();
      const piece = take(quote < 0 ? chunk.length : quote);
      if (quote >= 0) at += 1;
      return { piece, isOver: quote >= 0 };
    },
    async close() {
      await chunks.return?.();
    },
  };
}

/** The sender broke off: nobody reads this, but a test or a log. */
function brokenBody(cause: unknown): GatewayError {
  return new GatewayError('validation_failed', 'The body ended before it was complete.', { cause });
}

/** The content of a string whose first quote is read; its last quote is read too. */
async function* readString(input: Input): AsyncGenerator<Uint8Array> {
  while (await input.more()) {
    const { piece, isOver } = input.takeString();
    if (piece.length > 0) yield piece;
    if (isOver) return;
  }
  throw notJson();
}

/** Its beginning: all of it, or as much as tells that it is long. */
async function takeHead(content: AsyncGenerator<Uint8Array>) {
  const head: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < LONG_BYTES) {
    const next = await content.next();
    if (next.done === true) return { head, isLong: false };
    head.push(next.value);
    bytes += next.value.length;
  }
  return { head, isLong: true };
}

async function* chain(
  head: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head;
  yield* rest;
}

function parse(pieces: readonly Uint8Array[]): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)));
  } catch (cause) {
    throw notJson(cause);
  }
}

function replace(value: unknown, placeholder: string, texts: readonly LongText[]): unknown {
  if (typeof value === 'string') {
    if (!value.startsWith(placeholder)) return value;
    return texts[Number(value.slice(placeholder.length))];
  }
  if (Array.isArray(value)) return value.map((entry) => replace(entry, placeholder, texts));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, replace(entry, placeholder, texts)]),
  );
}
