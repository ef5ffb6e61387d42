/** The file of a request: written out in JSON, or fetched from where it lies. */

import { requestFaults } from '@headwater/shared/protocol/tasks';
import { createByteBudget, tooLarge } from '../inputs/byte-budget.ts';
import { decodeBase64 } from '../inputs/decode-base64.ts';
import { isLongText, type LongText, readLongText } from '../inputs/long-text.ts';
import type { OpenInput } from '../inputs/opened-input.ts';
import type { Spool, SpooledFile } from '../inputs/spool.ts';
import type { Workspace } from '../inputs/workspace.ts';
import type { DeclaredFile } from './document-format.ts';

/** A file on disk, and what was said of it on the way. */
export interface BroughtFile extends SpooledFile, DeclaredFile {
  /** Of what was a text already, whatever it says of itself. */
  readonly charset?: string;
  /** Where it was fetched from, without what may be secret in it. */
  readonly sourceUrl?: string;
}

/** What it is wired to. */
export interface SourcePorts {
  readonly spool: Spool;
  readonly workspace: Workspace;
  readonly fetchInput: OpenInput;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Brings in the one of `text`, `content` and `url` that is there. Errors: `validation_failed` that
 * names the field, `payload_too_large`, those of the fetch.
 */
export async function bringFile(
  values: ReadonlyMap<string, unknown>,
  ports: SourcePorts,
): Promise<BroughtFile> {
  if (values.has('text')) return bringText(textValue(values, 'text'), ports);
  if (values.has('content')) return bringContent(textValue(values, 'content'), ports);
  const url = textValue(values, 'url');
  // No URL is that long.
  if (typeof url !== 'string') throw fault('url', 'is no https URL.');
  return bringUrl(url, ports);
}

async function bringText(text: string | LongText, ports: SourcePorts): Promise<BroughtFile> {
  const file = await write(encode(piecesOf(text)), 'text', ports);
  // It was decoded with the JSON: another encoding cannot be.
  return { ...file, charset: 'utf-8' };
}

async function bringContent(text: string | LongText, ports: SourcePorts): Promise<BroughtFile> {
  let head = '';
  async function* watched(): AsyncGenerator<string> {
    for await (const piece of piecesOf(text)) {
      if (head.length < 256) head += piece.slice(0, 256);
      yield piece;
    }
  }
  const file = await write(decodeBase64(watched(), 'content'), 'content', ports);
  const mediaType = /^data:([^,]{0,200}?);base64,/i.exec(head)?.[1] ?? '';
  return { ...file, ...(mediaType === '' ? {} : { mediaType }) };
}

async function bringUrl(url: string, ports: SourcePorts): Promise<BroughtFile> {
  const opened = await ports.fetchInput(url, 'url', ports.signal);
  try {
    // What is said to be too large is not waited for.
    if ((opened.announcedBytes ?? 0) > ports.maxBytes) throw tooLarge('url', ports.maxBytes);
    const file = await write(opened.bytes, 'url', ports);
    const { origin, pathname } = new URL(url);
    const fileName = decodeName(pathname.split('/').at(-1) ?? '');
    return {
      ...file,
      sourceUrl: `${origin}${pathname}`.slice(0, 2048),
      ...(fileName === '' ? {} : { fileName }),
      ...(opened.mediaType === undefined ? {} : { mediaType: opened.mediaType }),
    };
  } finally {
    opened.cancel();
  }
}

async function write(
  bytes: AsyncIterable<Uint8Array>,
  field: string,
  { spool, workspace, maxBytes }: SourcePorts,
): Promise<SpooledFile> {
  const file = await spool.write(bytes, [createByteBudget(maxBytes, field)]);
  workspace.spooled(file.path);
  return file;
}

async function* piecesOf(text: string | LongText): AsyncGenerator<string> {
  if (typeof text === 'string') yield text;
  else yield* readLongText(text);
}

/** A surrogate pair may be cut between two pieces. */
async function* encode(pieces: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let carried = '';
  for await (const piece of pieces) {
    const text = carried + piece;
    const cut = /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
    carried = text.slice(cut);
    yield Buffer.from(text.slice(0, cut), 'utf8');
  }
  if (carried !== '') yield Buffer.from(carried, 'utf8');
}

function textValue(values: ReadonlyMap<string, unknown>, field: string): string | LongText {
  const value = values.get(field);
  if (isLongText(value) || (typeof value === 'string' && value !== '')) return value;
  throw fault(field, value === '' ? 'is empty.' : 'is no text.');
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name).slice(0, 300);
  } catch {
    // Half an escape: then it is taken as it is written.
    return name.slice(0, 300);
  }
}

function fault(path: string, message: string) {
  return requestFaults([{ path, message }]);
}
