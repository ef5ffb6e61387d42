/** The official `openai` SDK as a caller of the host under test. */

import { createOpenAIClient } from '@headwater/shared/testing/openai-client';
import type { RecordedRequest } from '@headwater/shared/testing/vendors/scripted-requests';
import { callerToken } from './gateway-client.ts';
import type { World } from './world.ts';

/** The SDK, made for one subject. */
export type OpenAICaller = ReturnType<typeof createOpenAIClient>;

/** Makes a caller; each test has a subject of its own, and so a rate of its own. */
export async function openaiCaller(world: World, subject: string): Promise<OpenAICaller> {
  const apiKey = await callerToken(`openai-${subject}`);
  return createOpenAIClient({ baseURL: `${world.host.baseUrl}/v1`, apiKey });
}

/** A conversation of one turn. */
export const say = (content: string) => [{ role: 'user' as const, content }];

/** What the vendor was asked with a body that has this text in it. */
export function askedWith(world: World, text: string): readonly RecordedRequest[] {
  return world.vendor.requests.filter(({ body }) => JSON.stringify(body ?? null).includes(text));
}
