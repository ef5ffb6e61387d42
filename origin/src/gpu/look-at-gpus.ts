/** The graphics cards of this machine, as `nvidia-smi` tells of them. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { AiGpuView, GpuView } from '@headwater/shared/protocol/ai-health';

/** How old an answer may be, and how long the tool may take, in ms. */
const KEPT_MS = 5_000;
const TIMEOUT_MS = 2_000;

/** Columns, by the names that the tool has for them (`nvidia-smi --help-query-gpu`). */
const COLUMNS = [
  'name',
  'driver_version',
  'memory.total',
  'memory.used',
  'utilization.gpu',
  'temperature.gpu',
] as const;

const ABSENT = 'nvidia-smi is not installed here: no NVIDIA driver serves this process.';

/** What it needs. */
export interface GpuPorts {
  readonly nowMs: () => number;
  /** Default `nvidia-smi`, by `PATH`. */
  readonly command?: string;
}

const run = promisify(execFile);

/** Makes a function that looks; whoever asks at the same time, or within 5 s, gets the same answer. */
export function createGpuLook({
  nowMs,
  command = 'nvidia-smi',
}: GpuPorts): () => Promise<AiGpuView> {
  let seen: { readonly atMs: number; readonly view: Promise<AiGpuView> } | undefined;
  return () => {
    if (seen === undefined || nowMs() - seen.atMs > KEPT_MS) {
      seen = { atMs: nowMs(), view: look(command) };
    }
    return seen.view;
  };
}

async function look(command: string): Promise<AiGpuView> {
  try {
    const { stdout } = await run(
      command,
      [`--query-gpu=${COLUMNS.join(',')}`, '--format=csv,noheader,nounits'],
      { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 },
    );
    const gpus = stdout.split('\n').flatMap(readGpu);
    if (gpus.length > 0) return { available: true, gpus };
    return { available: false, reason: 'nvidia-smi names no graphics card.' };
  } catch (thrown) {
    // All that there is to say of it is the answer; the tool's own words may hold paths.
    return { available: false, reason: reasonOf(thrown) };
  }
}

function reasonOf(thrown: unknown): string {
  const { code, killed } = thrown as { code?: unknown; killed?: boolean };
  if (code === 'ENOENT' || code === 'EACCES') return ABSENT;
  if (killed === true) return `nvidia-smi did not answer within ${TIMEOUT_MS / 1000} s.`;
  return 'nvidia-smi failed: the driver may not be loaded.';
}

function readGpu(line: string): readonly GpuView[] {
  const [name, driver, total, used, utilization, temperature] = line
    .split(',')
    .map((cell) => cell.trim());
  if (!name || temperature === undefined) return [];
  return [
    {
      name,
      driver_version: driver && !driver.startsWith('[') ? driver : null,
      memory_total_mib: numberOf(total),
      memory_used_mib: numberOf(used),
      utilization_percent: numberOf(utilization),
      temperature_celsius: numberOf(temperature),
    },
  ];
}

/** `[N/A]` and the like are no numbers. */
function numberOf(cell: string | undefined): number | null {
  return cell !== undefined && /^\d+(?:\.\d+)?$/.test(cell) ? Number(cell) : null;
}
