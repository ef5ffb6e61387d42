import { availableParallelism, cpus, totalmem } from 'node:os';

/** Where a run was made. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryMiB: number;
  readonly platform: string;
  readonly node: string;
  readonly workerd: string;
}

/** Describes this machine, without anything that names it. */
export function describeMachine(workerdVersion: string): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    workerd: workerdVersion,
  };
}
