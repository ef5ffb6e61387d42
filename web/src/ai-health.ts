/** What `GET /ai/health` tells the page about the text services. */

import { type Fetch, fieldsOf, type Result, requestJson, textOf } from './wire.ts';

/** Whether a service is real. */
export interface ServiceState {
  /** `simulated` answers, without a model behind it. */
  readonly kind: 'live' | 'simulated' | 'unavailable';
  /** What it takes to make it live, in the gateway's words. */
  readonly missing?: string;
}

/** The services this page shows, by their names on the wire. */
export const SERVICES = ['chat', 'rag', 'script-generation'] as const;

/** One of them. */
export type ServiceName = (typeof SERVICES)[number];

const KINDS = ['live', 'simulated'] as const;

/** Reads the answer; a service it does not name is unavailable. */
export function parseServices(body: unknown): Readonly<Record<ServiceName, ServiceState>> {
  const services = fieldsOf(fieldsOf(body)['services']);
  const stateOf = (name: ServiceName): ServiceState => {
    const { status, missing } = fieldsOf(services[name]);
    const words = textOf(missing);
    return {
      kind: KINDS.find((kind) => kind === status) ?? 'unavailable',
      ...(words === undefined ? {} : { missing: words }),
    };
  };
  return {
    chat: stateOf('chat'),
    rag: stateOf('rag'),
    'script-generation': stateOf('script-generation'),
  };
}

/** What has to be said before anybody tries them: one sentence for each lack. Empty where all is live. */
export function noticesOf(states: Readonly<Record<ServiceName, ServiceState>>): string[] {
  const lacking = SERVICES.map((name) => states[name]).filter(({ kind }) => kind !== 'live');
  return [...new Set(lacking.map(({ missing }) => missing ?? 'Not available here.'))];
}

/** `GET /ai/health` below `baseUrl`. Never rejects. */
export async function readServices(
  fetch: Fetch,
  baseUrl: string,
): Promise<Result<Readonly<Record<ServiceName, ServiceState>>>> {
  const answer = await requestJson(fetch, new URL('ai/health', baseUrl).href);
  return answer.ok ? { ok: true, value: parseServices(answer.value) } : answer;
}
