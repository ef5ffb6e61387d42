/** The engines there are: built-in ones, and modules that the settings name. */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { manifest as contentGeneration } from './content-generation/manifest.ts';
import type { EngineManifest, EngineModule } from './engine-manifest.ts';
import { manifest as scriptGeneration } from './script-generation/manifest.ts';

/** Engines by the type of their tasks. */
export interface EngineRegistry {
  /** With the internal ones. */
  readonly manifests: ReadonlyMap<string, EngineManifest>;
  /** Types of the contract that have no engine here, and what they lack. */
  readonly missing: ReadonlyMap<string, string>;
  /**
   * What a caller may ask of a type. Errors: `not_found` for a type that nobody knows, and for an
   * internal one just so; `unavailable` for one without an engine.
   */
  manifestOf(type: string): EngineManifest;
  /**
   * Loads the engine itself, an internal one too; in a child only. Errors: those of
   * {@link manifestOf}, and any of its own.
   */
  load(type: string): Promise<EngineModule>;
}

interface BuiltIn {
  readonly manifest: EngineManifest;
  readonly load: () => Promise<EngineModule>;
}

const BUILT_IN: readonly BuiltIn[] = [
  { manifest: contentGeneration, load: () => import('./content-generation/engine.ts') },
  { manifest: scriptGeneration, load: () => import('./script-generation/engine.ts') },
];

/** Types of the contract whose engines are not there. */
const WITHOUT_ENGINE = ['step-detection', 'ocr', 'voice-synthesis', 'image-analysis'] as const;

/**
 * Makes the registry. `paths` are modules that export an {@link EngineModule}, absolute or relative
 * to the working folder; of two engines of one type the later one counts, the built-in ones first.
 * Errors: `unavailable` that says which module cannot be loaded; its path is in the log alone.
 */
export async function openEngineRegistry(paths: readonly string[]): Promise<EngineRegistry> {
  const engines = new Map<string, BuiltIn>(
    BUILT_IN.map((engine) => [engine.manifest.type, engine]),
  );
  for (const [index, path] of paths.entries()) {
    const module = await importEngine(path, index);
    engines.set(module.manifest.type, { manifest: module.manifest, load: async () => module });
  }
  const missing = new Map<string, string>(
    WITHOUT_ENGINE.filter((type) => !engines.has(type)).map((type) => [
      type,
      `No engine for ${type} is installed here: name its module in TASK_ENGINES.`,
    ]),
  );

  const known = [...engines.values()]
    .flatMap(({ manifest }) => (manifest.internal ? [] : [manifest.type]))
    .concat(...missing.keys())
    .sort()
    .join(', ');

  function refusalOf(type: string): GatewayError {
    const lack = missing.get(type);
    if (lack !== undefined) return new GatewayError('unavailable', lack);
    return new GatewayError('not_found', `There is no such type of task. Known: ${known}.`);
  }

  return {
    manifests: new Map([...engines].map(([type, { manifest }]) => [type, manifest])),
    missing,
    manifestOf(type) {
      const manifest = engines.get(type)?.manifest;
      if (manifest === undefined || manifest.internal) throw refusalOf(type);
      return manifest;
    },
    async load(type) {
      const engine = engines.get(type);
      if (engine === undefined) throw refusalOf(type);
      return engine.load();
    },
  };
}

async function importEngine(path: string, index: number): Promise<EngineModule> {
  try {
    const module: unknown = await import(pathToFileURL(resolve(path)).href);
    if (isEngineModule(module)) return module;
  } catch (thrown) {
    throw unusable(index, thrown);
  }
  throw unusable(index, new TypeError('the module exports no manifest and createEngine'));
}

/** The path stays out of the message, which callers may see. */
function unusable(index: number, cause: unknown): GatewayError {
  return new GatewayError(
    'unavailable',
    `TASK_ENGINES: module ${index + 1} cannot be loaded, or is no engine.`,
    { cause },
  );
}

function isEngineModule(module: unknown): module is EngineModule {
  const { manifest, createEngine } = module as Partial<Record<keyof EngineModule, unknown>>;
  if (typeof createEngine !== 'function') return false;
  return typeof (manifest as Partial<EngineManifest> | undefined)?.type === 'string';
}
