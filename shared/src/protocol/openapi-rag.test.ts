import { expect, it } from 'vitest';
import { documentFieldsSchema, documentSourceSchema, ragSchema } from './ai-rag.ts';
import { RAG_PATHS, RAG_SCHEMAS } from './openapi-rag.ts';

const propertiesOf = (name: string) =>
  (RAG_SCHEMAS[name] as { properties: Record<string, { description?: string }> }).properties;

it('HOST-6: the requests it describes are the requests that are judged', () => {
  expect(Object.keys(propertiesOf('RagRequest'))).toEqual(Object.keys(ragSchema.shape));
  expect(Object.keys(propertiesOf('RagDocumentRequest')).toSorted()).toEqual(
    [
      ...Object.keys(documentSourceSchema.shape),
      ...Object.keys(documentFieldsSchema.shape),
    ].toSorted(),
  );
  expect(propertiesOf('RagRequest')['top_k']?.description).toContain('passages');
});

it('HOST-6: every schema of documents is used, and none is missing', () => {
  const text = JSON.stringify([RAG_PATHS, RAG_SCHEMAS]);
  const named = new Set([...text.matchAll(/schemas\/(Rag\w+)/g)].map(([, name]) => name));
  expect([...named].toSorted()).toEqual(Object.keys(RAG_SCHEMAS).toSorted());
});
