import { expect, it } from 'vitest';
import { generateSchema } from './ai-generate.ts';
import { AI_PATHS, AI_SCHEMAS } from './openapi-ai.ts';

it('HOST-6: the request of `/ai/generate` that it describes is the request that is judged', () => {
  const { properties, oneOf } = AI_SCHEMAS['GenerateRequest'] as {
    properties: Record<string, { description?: string; enum?: string[] }>;
    oneOf: readonly object[];
  };
  expect(Object.keys(properties)).toEqual(Object.keys(generateSchema.shape));
  expect(oneOf).toHaveLength(2);
  expect(properties['policy']?.enum).toEqual(['cheap', 'fast', 'best']);
  expect(properties['cache']?.description).toContain('an hour');
});

it('HOST-6: every schema of `/ai/generate` is used, and none is missing', () => {
  const refs = [...JSON.stringify(AI_PATHS).matchAll(/schemas\/(Generate\w+)/g)];
  const named = new Set(refs.map(([, name]) => name));
  expect([...named].toSorted()).toEqual(Object.keys(AI_SCHEMAS).toSorted());
});
