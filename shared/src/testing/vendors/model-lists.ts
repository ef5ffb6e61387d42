/** The vendors' lists of models, as scripted vendors give them. */

import type { VendorPlay } from './play.ts';
import type { RecordedRequest } from './scripted-requests.ts';

/** What the lists hold, by the vendors' own names. */
export const SCRIPTED_MODELS = {
  openai: ['gpt-4', 'llama-of-a-server', 'text-embedding-3-small'],
  anthropic: ['claude-sonnet-5-5'],
  ollama: ['llama3.2:1b'],
} as const;

const CREATED_SECONDS = 1_760_000_000;
const CREATED_AT = '2025-10-09T08:53:20Z';

/** The list that a request asks for, if it asks for one. */
export function listPlay({ path, headers }: RecordedRequest): VendorPlay | undefined {
  const isAnthropic = headers['anthropic-version'] !== undefined;
  switch (path) {
    case '/v1/models':
      return toPlay(isAnthropic ? anthropicList() : openaiList());
    case '/api/tags':
      return toPlay({
        models: SCRIPTED_MODELS.ollama.map((model) => ({
          name: model,
          model,
          modified_at: CREATED_AT,
        })),
      });
    default:
      return undefined;
  }
}

function openaiList(): object {
  const data = SCRIPTED_MODELS.openai.map((id) => ({
    id,
    object: 'model',
    created: CREATED_SECONDS,
    owned_by: 'scripted',
  }));
  return { object: 'list', data };
}

function anthropicList(): object {
  const model = { type: 'model', display_name: 'Scripted', created_at: CREATED_AT };
  const live = SCRIPTED_MODELS.anthropic.map((id) => ({ ...model, id, lifecycle: 'active' }));
  const data = [...live, { ...model, id: 'claude-gone', lifecycle: 'retired' }];
  return { data, has_more: false, first_id: data[0]?.id, last_id: 'claude-gone' };
}

function toPlay(body: object): VendorPlay {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    writes: [new TextEncoder().encode(JSON.stringify(body))],
    delayMs: 0,
    firstDelayMs: 0,
    end: 'close',
  };
}
