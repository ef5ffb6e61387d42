/** Asks an origin's app for tasks, as a caller whom the edge has authenticated. */

import type { Json } from '@headwater/shared/tasks/task';
import { INTERNAL_KEY, type TaskApp } from './task-app.ts';

/** What may be different. */
export interface Asked {
  /** Default `alice`. */
  readonly as?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Json;
}

/** Asks; `json` is the body where it is JSON. */
export async function ask(
  { app }: TaskApp,
  method: 'GET' | 'POST' | 'DELETE' | 'HEAD',
  path: string,
  { as = 'alice', headers = {}, body }: Asked = {},
) {
  const response = await app.inject({
    method,
    url: path,
    headers: {
      'x-api-key': INTERNAL_KEY,
      'x-headwater-subject': as,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  const isJson = String(response.headers['content-type']).startsWith('application/json');
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    json: isJson && response.body !== '' ? response.json() : undefined,
  };
}

/** Submits a task of type `test`. */
export const submit = (app: TaskApp, body: Json, asked: Asked = {}) =>
  ask(app, 'POST', '/api/v1/tasks/test', { ...asked, body });

/** The task once it is over. */
export async function ended(app: TaskApp, id: string) {
  return (await ask(app, 'GET', `/api/v1/tasks/${id}`, { headers: { prefer: 'wait=10' } })).json;
}
