/** The environment of a document's reader: it asks nobody for anything, and needs no key. */

const GIVEN: readonly string[] = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_COMPILE_CACHE'];

/**
 * Makes it. Node's own permissions hold in the process: it reads files, and writes none, starts no
 * program and loads no native code (nodejs.org/api/permissions.html).
 */
export function readerEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const given = GIVEN.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(given),
    NODE_OPTIONS: '--disable-warning=PERM0006 --permission --allow-fs-read=* --allow-worker',
  };
}
