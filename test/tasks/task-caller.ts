/** Somebody who asks for tasks, in plain HTTP. */

import type { Json } from '@headwater/shared/tasks/task';
import type { BatchView, TaskView } from '@headwater/shared/tasks/task-view';
import {
  callerToken,
  type ReadOptions,
  type ReadResult,
  readStream,
} from '../hosts/gateway-client.ts';
import { type PatientOptions, type PatientResult, readPatiently } from '../hosts/patient-reader.ts';

/** Names and values. */
export type Fields = Readonly<Record<string, Json>>;

type Headers = Readonly<Record<string, string>>;

/** An answer; `body` is `undefined` where it is no JSON. */
export interface Answer<Body = Record<string, unknown>> {
  readonly status: number;
  readonly headers: globalThis.Headers;
  readonly body: Body;
}

/** A caller with a subject of its own. */
export interface TaskCaller {
  readonly headers: Headers;
  ask<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: Json | FormData,
    headers?: Headers,
  ): Promise<Answer<Body>>;
  /** `POST /api/v1/tasks/test`, or another type. */
  submit(fields: Fields | FormData, headers?: Headers, type?: string): Promise<Answer<TaskView>>;
  /** The id of a task that must be accepted. */
  accept(fields: Fields | FormData, headers?: Headers, type?: string): Promise<string>;
  view(id: string): Promise<TaskView>;
  batch(id: string): Promise<BatchView>;
  /** The task once it satisfies `holds`. */
  once(id: string, holds: (task: TaskView) => boolean, timeoutMs?: number): Promise<TaskView>;
  /** The task once it is over. */
  ended(id: string, timeoutMs?: number): Promise<TaskView>;
  cancel(id: string): Promise<Answer<TaskView>>;
  /** Reads its events. */
  read(id: string, options?: ReadOptions): Promise<ReadResult>;
  /** Reads them as JSON to the end, however often the line breaks. */
  readPatiently(id: string, options?: PatientOptions): Promise<PatientResult>;
}

/** Pause between two looks at a task, in ms. */
const LOOK_MS = 40;

/** How long a task may take, in ms: many times what the tests ask for. */
const ONCE_TIMEOUT_MS = 20_000;

/** True of a status that nothing follows. */
export const isOver = ({ status }: Pick<TaskView, 'status'>): boolean =>
  status !== 'queued' && status !== 'running';

/** Makes a caller at an address. */
export async function taskCaller(baseUrl: string, subject: string): Promise<TaskCaller> {
  return callerWith(baseUrl, { authorization: `Bearer ${await callerToken(subject)}` });
}

/** A caller who shows just this. */
export function callerWith(baseUrl: string, own: Headers): TaskCaller {
  const ask: TaskCaller['ask'] = async (method, path, body, headers = {}) => {
    const isForm = body instanceof FormData;
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers: {
        ...own,
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : undefined,
    };
  };
  const submit: TaskCaller['submit'] = (fields, headers, type = 'test') =>
    ask('POST', `/api/v1/tasks/${type}`, fields, headers);
  const pathOf = (id: string) => `/api/v1/tasks/${id}`;

  async function see<View>(id: string): Promise<View> {
    const { status, body } = await ask<View>('GET', pathOf(id));
    if (status !== 200) throw new Error(`${id}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  const once: TaskCaller['once'] = async (id, holds, timeoutMs = ONCE_TIMEOUT_MS) => {
    const untilMs = Date.now() + timeoutMs;
    for (;;) {
      const task = await see<TaskView>(id);
      if (holds(task)) return task;
      if (Date.now() > untilMs) throw new Error(`it stayed ${JSON.stringify(task)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  };

  const eventsOf = (id: string) => `${baseUrl}${pathOf(id)}/events`;
  return {
    headers: own,
    ask,
    submit,
    async accept(fields, headers, type) {
      const { status, body } = await submit(fields, headers, type);
      if (status !== 202) throw new Error(`not accepted: ${status} ${JSON.stringify(body)}`);
      return body.task_id;
    },
    view: (id) => see(id),
    batch: (id) => see(id),
    once,
    ended: (id, timeoutMs) => once(id, isOver, timeoutMs),
    cancel: (id) => ask('DELETE', pathOf(id)),
    read: (id, options = {}) =>
      readStream(eventsOf(id), { ...options, headers: { ...own, ...options.headers } }),
    readPatiently: (id, options = {}) => readPatiently(eventsOf(id), { ...options, headers: own }),
  };
}
