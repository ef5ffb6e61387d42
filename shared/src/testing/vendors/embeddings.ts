/** Embeddings as scripted vendors give them: texts with the same words are near each other. */

import type { VendorPlay } from './play.ts';
import type { RecordedRequest } from './scripted-requests.ts';

/** Numbers of a scripted vector. */
export const SCRIPTED_DIMENSIONS = 64;

/** Words that mean the same: what words alone cannot find. */
const SAME: Readonly<Record<string, string>> = { car: 'automobile', doctor: 'physician' };

/** A vector of length 1 that says which words are in the text. Pure. */
export function scriptedVector(text: string): number[] {
  const vector = new Array<number>(SCRIPTED_DIMENSIONS).fill(0);
  vector[0] = 0.01;
  for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
    const place = hash(SAME[word] ?? word) % SCRIPTED_DIMENSIONS;
    vector[place] = (vector[place] ?? 0) + 1;
  }
  const length = Math.hypot(...vector);
  return vector.map((number) => number / length);
}

/** FNV-1a. */
function hash(word: string): number {
  let value = 0x811c9dc5;
  for (const letter of word) {
    value = Math.imul(value ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  }
  return value;
}

interface Body {
  readonly model?: string;
  readonly input?: string | readonly string[];
  readonly encoding_format?: string;
}

/**
 * The answer to a request for embeddings, if it is one. A text with `[[embed-status N]]` makes it a
 * refusal with that status.
 */
export function embedPlay({ path, body, headers }: RecordedRequest): VendorPlay | undefined {
  if (path !== '/v1/embeddings' && path !== '/api/embed') return undefined;
  const { model = '', input = [], encoding_format: format } = (body ?? {}) as Body;
  const texts = typeof input === 'string' ? [input] : input;
  const status = /\[\[embed-status (\d{3})\]\]/.exec(texts.join(' '))?.[1];
  if (status !== undefined) return toPlay({ error: 'scripted' }, Number(status));
  const vectors = texts.map(scriptedVector);
  if (path === '/api/embed') return toPlay({ model, embeddings: vectors });
  if (!/^Bearer \S+$/.test(headers['authorization'] ?? '')) return toPlay({ error: {} }, 401);
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: format === 'base64' ? toBase64(vector) : vector,
  }));
  const usage = { prompt_tokens: texts.length, total_tokens: texts.length };
  return toPlay({ object: 'list', model, data, usage });
}

function toBase64(vector: readonly number[]): string {
  const bytes = new Uint8Array(Float32Array.from(vector).buffer);
  return btoa(String.fromCharCode(...bytes));
}

function toPlay(body: object, status = 200): VendorPlay {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    writes: [new TextEncoder().encode(JSON.stringify(body))],
    delayMs: 0,
    firstDelayMs: 0,
    end: 'close',
  };
}
