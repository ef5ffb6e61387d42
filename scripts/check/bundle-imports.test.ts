import { expect, test } from 'vitest';
import { findForbiddenImports, findForbiddenInMetafile } from './bundle-imports.ts';

test.each([
  'import { createHash } from "node:crypto";',
  'import"crypto";',
  'import * as crypto from "crypto";',
  'export { createHash } from "node:crypto";',
  'const c = await import("node:crypto");',
  'var c = __require("crypto");',
])('%s is found in a bundle', (line) => {
  expect(findForbiddenImports(`var a = 1;\n${line}\n`)).toEqual([
    expect.stringMatching(/^(node:)?crypto$/),
  ]);
});

test.each([
  'import { DurableObject } from "cloudflare:workers";',
  'import wasm from "./0123-module.wasm";',
  'var text = "take it from \\"node:crypto\\"";',
  'throw new Error("set `globalThis.File` to `import(\'node:buffer\').File`.");',
])('%s is no matter', (line) => {
  expect(findForbiddenImports(line)).toEqual([]);
});

function metafile(
  imports: readonly { path: string; external?: boolean }[],
  inputs: Record<string, { bytesInOutput: number }> = {},
) {
  return { outputs: { 'index.js': { imports, inputs } } };
}

test('only cloudflare: modules and own files may be left to import at run time', () => {
  const found = findForbiddenInMetafile(
    metafile([
      { path: 'cloudflare:workers', external: true },
      { path: './module.wasm', external: true },
      { path: 'chunk.js' },
      { path: 'node:fs', external: true },
      { path: 'left-pad', external: true },
    ]),
  );
  expect(found).toEqual(['node:fs', 'left-pad']);
});

test('a stand-in for a Node module counts, unless none of it is used', () => {
  const found = findForbiddenInMetafile(
    metafile([], {
      'node-built-in-modules:node:buffer': { bytesInOutput: 10 },
      '../node_modules/unenv/dist/fs.mjs': { bytesInOutput: 0 },
      'src/index.ts': { bytesInOutput: 10 },
    }),
  );
  expect(found).toEqual(['node-built-in-modules:node:buffer']);
});
