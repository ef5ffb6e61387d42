import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGpuLook } from './look-at-gpus.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-gpu-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A tool that is a shell script. */
async function makeTool(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

describe('graphics cards', () => {
  it('HEALTH-3: are told as the tool tells them, with null for what it does not know', async () => {
    const command = await makeTool(
      'good',
      `case "$1 $2" in "--query-gpu=name,driver_version,memory.total,memory.used,utilization.gpu,temperature.gpu --format=csv,noheader,nounits") ;; *) exit 2;; esac
echo "NVIDIA H200, 570.86.15, 143771, 4, 0, 31"
echo "Other Card, [N/A], [N/A], 17, [Not Supported], 40"`,
    );
    await expect(createGpuLook({ nowMs: () => 0, command })()).resolves.toEqual({
      available: true,
      gpus: [
        {
          name: 'NVIDIA H200',
          driver_version: '570.86.15',
          memory_total_mib: 143_771,
          memory_used_mib: 4,
          utilization_percent: 0,
          temperature_celsius: 31,
        },
        {
          name: 'Other Card',
          driver_version: null,
          memory_total_mib: null,
          memory_used_mib: 17,
          utilization_percent: null,
          temperature_celsius: 40,
        },
      ],
    });
  });

  it('HEALTH-3: are looked at once in five seconds, however many ask', async () => {
    const count = join(folder, 'count');
    const command = await makeTool(
      'counting',
      `echo x >> ${count}; echo "A, 1, 2, 3, 4, $(wc -l < ${count})"`,
    );
    let nowMs = 0;
    const look = createGpuLook({ nowMs: () => nowMs, command });
    const temperatureOf = async () => {
      const view = await look();
      return view.available ? view.gpus[0]?.temperature_celsius : undefined;
    };
    expect(await Promise.all([temperatureOf(), temperatureOf()])).toEqual([1, 1]);
    nowMs = 5_000;
    expect(await temperatureOf()).toBe(1);
    nowMs = 5_001;
    expect(await temperatureOf()).toBe(2);
  });

  it('HEALTH-3: absent, failing, silent and stuck tools have each a reason, without a path', async () => {
    const reasons = [
      [join(folder, 'absent'), 'not installed'],
      [await makeTool('failing', 'echo "secret /path" >&2; exit 9'), 'driver may not be loaded'],
      [await makeTool('silent', 'exit 0'), 'names no graphics card'],
      [await makeTool('stuck', 'exec sleep 60'), 'did not answer within 2 s'],
    ] as const;
    for (const [command, words] of reasons) {
      const view = await createGpuLook({ nowMs: () => 0, command })();
      expect(view).toMatchObject({ available: false, reason: expect.stringContaining(words) });
      expect(JSON.stringify(view)).not.toContain('/');
    }
  });
});
