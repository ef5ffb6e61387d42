import { expect, it } from 'vitest';
import { chatRequestSchema } from './ai-chat.ts';
import { CHAT_PATHS, CHAT_SCHEMAS } from './openapi-chat.ts';

it('HOST-6: the request it describes is the request that is judged', () => {
  const { properties, required } = CHAT_SCHEMAS['ChatRequest'] as {
    properties: Record<string, { description?: string }>;
    required: string[];
  };
  expect(Object.keys(properties)).toEqual(Object.keys(chatRequestSchema.shape));
  expect(required).toEqual(['message']);
  expect(properties['update_system']?.description).toContain('from this message on');
});

it('HOST-6: every schema of conversations is used, and none is missing', () => {
  const refs = [...JSON.stringify(CHAT_PATHS).matchAll(/schemas\/(Chat\w+)/g)];
  const named = new Set(refs.map(([, name]) => name));
  expect([...named].toSorted()).toEqual(Object.keys(CHAT_SCHEMAS).toSorted());
});
