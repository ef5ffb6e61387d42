/** What the tests of `/ai/rag` share: an origin for a file, its scripted model, and how it is asked. */

import { startScriptedVendor } from '@headwater/shared/testing/node/scripted-vendor';
import { obey } from '@headwater/shared/testing/obedient-model';
import type { ScriptedVendor } from '@headwater/shared/testing/vendors/scripted-requests';
import { afterAll, beforeAll } from 'vitest';
import { openTestOrigin, type TestOrigin } from './open-test-origin.ts';

/** The key by which a test names its caller. */
export const RAG_KEY = 'the-key-between-edge-and-origin';

/** Longest time an origin may take to begin, in ms. */
const OPEN_MS = 60_000;

/** The app, and what it is made of. */
export interface RagApp {
  readonly origin: TestOrigin;
  /**
   * Obeys whoever may give orders; says the JSON text behind a question's `SAY`, and fails where one
   * ends with `UNWELL`.
   */
  readonly vendor: ScriptedVendor;
}

/** Opens one for this file. */
export function useRagApp(env: Record<string, string> = {}): () => RagApp {
  let app: RagApp | undefined;
  beforeAll(async () => {
    const vendor = await startScriptedVendor({
      mind: (turns) => {
        const asked = turns.at(-1)?.text ?? '';
        if (asked.endsWith('UNWELL')) return { status: 500 };
        const order = /SAY (".*")$/.exec(asked)?.[1];
        if (order !== undefined) return { text: JSON.parse(order) as string };
        return { text: obey(turns.map(({ role, text }) => ({ role, content: text }))) };
      },
    });
    const origin = await openTestOrigin({
      OPENAI_API_KEY: 'key',
      OPENAI_BASE_URL: vendor.openaiBaseUrl,
      DEFAULT_MODEL: 'gpt-4',
      INTERNAL_API_KEY: RAG_KEY,
      ...env,
    });
    app = { origin, vendor };
  }, OPEN_MS);
  afterAll(async () => {
    await app?.origin.close();
    await app?.vendor.close();
  }, OPEN_MS);
  return () => {
    if (app === undefined) throw new Error('the origin is not open yet');
    return app;
  };
}

let callers = 0;

/** A caller that owns nothing yet. */
export const newRagCaller = () => `caller-${callers++}`;

/** Asks as a caller. */
export async function askRag(
  { origin }: RagApp,
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  subject: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const response = await origin.app.inject({
    method,
    url,
    headers: {
      'x-api-key': RAG_KEY,
      'x-headwater-subject': subject,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : {
          payload: Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body),
        }),
  });
  const isJson = String(response.headers['content-type']).startsWith('application/json');
  return {
    status: response.statusCode,
    text: response.body,
    headers: response.headers,
    json: isJson ? response.json() : undefined,
  };
}

/** Keeps a document. */
export const addDocument = (
  app: RagApp,
  subject: string,
  body: unknown,
  headers?: Record<string, string>,
) => askRag(app, 'POST', '/ai/rag/documents', subject, body, headers);

/** The events of a streamed answer. */
export const eventsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)));
