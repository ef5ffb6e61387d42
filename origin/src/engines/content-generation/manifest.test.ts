import { describe, expect, it } from 'vitest';
import { contentParams } from './manifest.ts';

const faultsOf = (params: object): string[] => {
  const read = contentParams.safeParse(params);
  return (read.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
};

describe('parameters of content generation', () => {
  it('ENGINE-16: an article is written where no kind is named', () => {
    expect(contentParams.parse({ prompt: ' Hi ' })).toEqual({ kind: 'article', prompt: 'Hi' });
  });

  it.each([
    [{}, 'prompt: One of `prompt`, `text` and `steps` is needed.'],
    [{ prompt: '  ' }, 'prompt: Too small'],
    [{ kind: 'poem', prompt: 'Hi' }, 'kind: Invalid option'],
    [{ kind: 'translation', text: 'Hi' }, 'language: A translation needs its `language`.'],
    [{ prompt: 'Hi', model: 'nobody' }, 'model: names no model that is served here.'],
    [{ prompt: 'Hi', temperature: 3 }, 'temperature: Too big'],
    [{ prompt: 'Hi', length: 0 }, 'length: Too small'],
    [{ prompt: 'Hi', other: 1 }, ': Unrecognized key'],
    [{ steps: [] }, 'steps: Too small'],
    [{ steps: [{ frame: 1 }] }, 'steps.0: must have a `description` or an `action`.'],
    [{ prompt: 'Hi', schema: { not: { type: 'string' } } }, 'schema: is no JSON schema'],
    [{ prompt: 'Hi', schema: { pattern: '(', type: 'string' } }, 'schema: is no JSON schema'],
    [{ prompt: 'Hi', schema: { $ref: 'https://example.com/a' } }, 'schema: is no JSON schema'],
    [{ prompt: 'Hi', schema: { const: 'x'.repeat(40_000) } }, 'schema: is too long'],
  ])('ENGINE-16: refuses what it cannot use: %j', (params, fault) => {
    expect(faultsOf(params)[0]).toContain(fault);
  });

  it('ENGINE-18: refuses a schema that is too deep to be read, and does not fall over it', () => {
    const deep = (depth: number) =>
      JSON.parse(`${'{"items":'.repeat(depth)}{}${'}'.repeat(depth)}`) as object;
    expect(() => faultsOf({ prompt: 'Hi', schema: deep(3_000) })).not.toThrow();
    expect(faultsOf({ prompt: 'Hi', schema: deep(100_000) })).toEqual([
      expect.stringContaining('schema: is too long'),
    ]);
  });
});
