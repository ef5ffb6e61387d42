import { describe, expect, it } from 'vitest';
import { TEST_ENGINE } from '../testing/test-engine-task.ts';
import { openEngineRegistry } from './registry.ts';

describe('the engine registry', () => {
  it('ENGINE-15: knows the built-in engines, and the types of the contract that have none', async () => {
    const registry = await openEngineRegistry([]);
    expect([...registry.manifests.keys()]).toEqual(['content-generation', 'script-generation']);
    expect([...registry.missing.keys()].sort()).toEqual([
      'image-analysis',
      'ocr',
      'step-detection',
      'voice-synthesis',
    ]);
    expect(() => registry.manifestOf('ocr')).toThrow(
      expect.objectContaining({
        code: 'unavailable',
        message: 'No engine for ocr is installed here: name its module in TASK_ENGINES.',
      }),
    );
  });

  it('ENGINE-15: a type that nobody knows is `not_found`, and the message repeats nothing of it', async () => {
    const registry = await openEngineRegistry([]);
    for (const type of ['nothing', '__proto__', 'toString']) {
      expect(() => registry.manifestOf(type)).toThrow(
        expect.objectContaining({
          code: 'not_found',
          message:
            'There is no such type of task. Known: content-generation, image-analysis, ocr, step-detection, voice-synthesis.',
        }),
      );
    }
    await expect(registry.load('nothing')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('ENGINE-15: adds the modules of TASK_ENGINES, by absolute or relative path', async () => {
    const { relative } = await import('node:path');
    for (const path of [TEST_ENGINE, relative(process.cwd(), TEST_ENGINE)]) {
      const registry = await openEngineRegistry([path]);
      expect(registry.manifests.has('test')).toBe(true);
      expect((await registry.load('test')).manifest).toBe(registry.manifestOf('test'));
    }
  });

  it('ENGINE-15: a module that cannot be loaded is named by its place, never by its path', async () => {
    await expect(openEngineRegistry([TEST_ENGINE, '/nowhere/secret.ts'])).rejects.toMatchObject({
      code: 'unavailable',
      message: 'TASK_ENGINES: module 2 cannot be loaded, or is no engine.',
    });
  });
});
