import { isBuiltin } from 'node:module';

/** What esbuild tells of a bundle, as far as it matters here. */
export type BundleMetafile = {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly imports: readonly { readonly path: string; readonly external?: boolean }[];
        readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>;
      }
    >
  >;
};

// Static imports of a bundle begin a line; the rest may stand anywhere.
const STATIC_IMPORT = /^\s*(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*["']([^"']+)["']/gm;
// Nothing can be called right behind a backtick: there it is a message that quotes code.
const CALLED_IMPORT = /(?<!`)\b(?:import|require|__require)\(\s*["']([^"']+)["']\s*\)/g;
// wrangler bundles a stand-in for a Node module under these names, if its config asks for Node's.
const STAND_IN = /(?:^|[/:])(?:node-built-in-modules:|unenv\/|_virtual_unenv)/;

/**
 * The Node builtins that a bundle's text imports.
 *
 * @param source the bundle
 * @returns their names as written, each once
 */
export function findForbiddenImports(source: string): readonly string[] {
  const found = [STATIC_IMPORT, CALLED_IMPORT].flatMap((pattern) =>
    [...source.matchAll(pattern)].map((match) => match[1] ?? ''),
  );
  return [...new Set(found.filter((name) => name.startsWith('node:') || isBuiltin(name)))];
}

/**
 * What a bundle leaves to be imported or required at run time beyond `cloudflare:*` and its own
 * files, and the stand-ins for Node modules that it contains. An input that contributes no byte is
 * no matter.
 */
export function findForbiddenInMetafile(metafile: BundleMetafile): readonly string[] {
  const outputs = Object.values(metafile.outputs);
  const imported = outputs
    .flatMap(({ imports }) => imports)
    .filter(({ path, external }) => external === true && !isOwnOrCloudflare(path))
    .map(({ path }) => path);
  const standIns = outputs
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([name, { bytesInOutput }]) => bytesInOutput > 0 && STAND_IN.test(name))
    .map(([name]) => name);
  return [...new Set([...imported, ...standIns])];
}

function isOwnOrCloudflare(path: string): boolean {
  return path.startsWith('cloudflare:') || path.startsWith('./') || path.startsWith('../');
}
