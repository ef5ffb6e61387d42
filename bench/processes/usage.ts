/** What a process has used so far, from Linux' /proc. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Of one process with all its threads and all the processes it started. */
export interface Usage {
  /** User and system time since it began, in ms; counted by the kernel in ticks, usually of 10 ms. */
  readonly cpuMs: number;
  /** Resident memory, in MiB; pages that two processes share count for both. */
  readonly rssMiB: number;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Reads it. Throws when there is no such process. */
export function readUsage(pid: number): Usage {
  return [pid, ...descendantsOf(pid)].map(readOne).reduce((sum, one) => ({
    cpuMs: sum.cpuMs + one.cpuMs,
    rssMiB: sum.rssMiB + one.rssMiB,
  }));
}

function readOne(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold blanks; proc(5) numbers utime 14 and stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rssKiB = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  return { cpuMs: (ticks * 1000) / ticksPerSecond, rssMiB: rssKiB / 1024 };
}

function descendantsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
    const pids = children.split(' ').filter((text) => text.trim() !== '');
    return pids.flatMap((text) => [Number(text), ...descendantsOf(Number(text))]);
  });
}
