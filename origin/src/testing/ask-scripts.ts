/** What the tests of script routes share: an app on one database for a file, and how it is asked. */

import { randomUUID } from 'node:crypto';
import type { GenerationListView, GenerationSummary } from '@headwater/shared/protocol/scripts';
import type { AttemptOutcome } from '@headwater/shared/tasks/ports';
import type { TaskRecord } from '@headwater/shared/tasks/task';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { openTestDatabase } from './describe-with-databases.ts';
import type { ReplyError } from './reply-error.ts';
import {
  INTERNAL_KEY,
  openScriptApp,
  type RunAttempt,
  type ScriptApp,
  type ScriptAppOptions,
} from './script-app.ts';

/** What a writer of these tests comes to. */
export const RESULT = {
  ...{ text: 'A whole script.', word_count: 3, warnings: ['later'], model: 'gpt-4o' },
};

/** A request that is complete. */
const BODY = {
  ...{ project_id: 'proj_123', script_type: 'drama', title: 'My Script' },
  ...{ description: 'A compelling drama about a lamp.', length_target: 2000 },
};

/** Longest time the database has to be made in, in ms. */
const OPEN_MS = 60_000;

const succeed: RunAttempt = async (): Promise<AttemptOutcome> => ({
  type: 'succeeded',
  result: RESULT,
});

/** Opens apps on a database of this file; each is closed after its test. */
export function useScriptApps(): (options?: Partial<ScriptAppOptions>) => Promise<ScriptApp> {
  let kept: Awaited<ReturnType<typeof openTestDatabase>> | undefined;
  const opened: ScriptApp[] = [];
  beforeAll(async () => {
    kept = await openTestDatabase();
    await kept.database.hasVectors();
  }, OPEN_MS);
  afterEach(async () => {
    for (const app of opened.splice(0)) await app.close();
  });
  afterAll(async () => kept?.close(), OPEN_MS);
  return async (options = {}) => {
    if (kept === undefined) throw new Error('the database is not open yet');
    const app = await openScriptApp({ database: kept.database, run: succeed, ...options });
    opened.push(app);
    return app;
  };
}

/** Writes two words, waits to be let go on, and succeeds. */
export function heldWriter() {
  const go = Promise.withResolvers<void>();
  const tasks: TaskRecord[] = [];
  const run: RunAttempt = async (task, news, signal) => {
    tasks.push(task);
    news({ type: 'text', text: 'A whole ' });
    news({ type: 'progress', progress: 0.5, stage: 'Setup' });
    await Promise.race([
      go.promise,
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
    ]);
    return { type: 'succeeded', result: RESULT };
  };
  return { run, tasks, go: go.resolve };
}

/** A caller that owns nothing yet. */
export const newCaller = () => `caller-${randomUUID()}`;

/** What the answers of these routes have, each of them some: what is not there is `undefined`. */
interface ScriptReply
  extends Omit<GenerationSummary, 'error'>,
    Pick<GenerationListView, 'next_after'> {
  readonly text: string | null;
  readonly partial_text: string | null;
  readonly generations: readonly [GenerationSummary, ...GenerationSummary[]];
  readonly templates: readonly { readonly id: string }[];
  readonly template_id: string;
  readonly events_url: string;
  readonly stream_url: string;
  readonly is_built_in: boolean;
  readonly error: ReplyError;
}

/** Asks as a caller; the answer's JSON beside its status. */
export async function ask(
  { app }: Pick<ScriptApp, 'app'>,
  caller: string,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const response = await app.inject({
    ...{ method, url },
    headers: {
      'x-api-key': INTERNAL_KEY,
      'x-headwater-subject': caller,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  const json = response.body === '' ? {} : response.json();
  return { status: response.statusCode, json: json as ScriptReply, headers: response.headers };
}

/** Asks for a script. */
export const generate = (app: ScriptApp, caller: string, more: object = {}, headers = {}) =>
  ask(app, caller, 'POST', '/api/v1/generate', { ...BODY, ...more }, headers);

/** Looks at a script. */
export const look = (app: ScriptApp, caller: string, id: string) =>
  ask(app, caller, 'GET', `/api/v1/generate/${id}`);

/** The script once it has the status. */
export async function scriptOnce(app: ScriptApp, caller: string, id: string, status: string) {
  return await vi.waitFor(async () => {
    const { json } = await look(app, caller, id);
    expect(json.status).toBe(status);
    return json;
  });
}
