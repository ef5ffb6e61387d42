import { expect, it } from 'vitest';
import { modelList, modelOf, parseModelList } from './model-list.ts';

const MODELS = [
  { id: 'gpt-4o', created: 1_715_367_049, owned_by: 'openai' },
  { id: 'ollama/llama3.2:1b', owned_by: 'library' },
];

it('OPENAI-11: the list and its models have the shape of OpenAI’s', () => {
  expect(modelList(MODELS)).toEqual({
    object: 'list',
    data: [
      { id: 'gpt-4o', object: 'model', created: 1_715_367_049, owned_by: 'openai' },
      { id: 'ollama/llama3.2:1b', object: 'model', created: 0, owned_by: 'library' },
    ],
  });
  expect(modelOf(MODELS, 'ollama/llama3.2:1b').owned_by).toBe('library');
});

it('OPENAI-11: a model that is not listed is not found', () => {
  expect(() => modelOf(MODELS, 'gpt-4')).toThrow(expect.objectContaining({ code: 'not_found' }));
});

it('OPENAI-11: a gateway reads the list of another one, and nothing else', () => {
  expect(parseModelList(JSON.parse(JSON.stringify(modelList(MODELS))))).toEqual([
    MODELS[0],
    { ...MODELS[1], created: 0 },
  ]);
  expect(() => parseModelList({ data: [{ id: 7 }] })).toThrow(
    expect.objectContaining({ code: 'upstream_failed' }),
  );
});
