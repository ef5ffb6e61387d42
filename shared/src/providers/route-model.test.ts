import { describe, expect, it } from 'vitest';
import { MAX_MODEL_NAME_LENGTH, routeModel } from './route-model.ts';

describe('model routing', () => {
  it.each([
    ['gpt-4', 'openai', 'gpt-4'],
    ['chatgpt-4o-latest', 'openai', 'chatgpt-4o-latest'],
    ['o3-mini', 'openai', 'o3-mini'],
    ['ft:gpt-4o:acme::id', 'openai', 'ft:gpt-4o:acme::id'],
    ['openai/meta/llama-3', 'openai', 'meta/llama-3'],
    ['azure/my-gpt-4', 'azure', 'my-gpt-4'],
    ['claude-sonnet-5-5', 'anthropic', 'claude-sonnet-5-5'],
    ['anthropic/next', 'anthropic', 'next'],
    ['ollama/llama3.2:1b', 'ollama', 'llama3.2:1b'],
    ['ollama/gpt-oss', 'ollama', 'gpt-oss'],
    ['echo', 'echo', 'echo'],
  ])('PROV-16: %s is served by %s as %s', (name, provider, model) => {
    expect(routeModel(name)).toEqual({ provider, model });
  });

  it.each([
    '',
    ' gpt-4',
    'gpt-',
    'GPT-4',
    'llama3',
    'openai/',
    'azure/',
    'claude-',
    'echo2',
    'gpt-4\n',
    'gpt-é',
  ])('PROV-16: %j means no vendor', (name) => {
    expect(routeModel(name)).toBeUndefined();
  });

  it('PROV-16: a name longer than 200 characters means no vendor', () => {
    const name = 'gpt-'.padEnd(MAX_MODEL_NAME_LENGTH, '4');
    expect(routeModel(name)?.provider).toBe('openai');
    expect(routeModel(`${name}4`)).toBeUndefined();
  });
});
