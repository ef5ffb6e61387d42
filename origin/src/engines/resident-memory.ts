/** How much memory a process has resident, where the system tells. */

import { readFileSync } from 'node:fs';

/** True on Linux, where /proc shows the memory of every process. */
export const canReadMemory = readResidentBytes(process.pid) !== undefined;

/**
 * Resident bytes of a process; `undefined` where it is gone, or where there is no /proc. From
 * `status`, which counts in KiB: `statm` counts in pages, whose size Node does not tell.
 */
export function readResidentBytes(pid: number): number | undefined {
  try {
    const kib = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    // Gone, or another system: both are what `undefined` says.
    return undefined;
  }
}
