/** nginx and Nchan, from the system or from Debian's packages. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, installDebianPackage } from '../../scripts/test/system-packages.ts';
import { PeerMissing } from './peer.ts';

/** Debian puts nginx where only root's PATH looks. */
const SEARCHED = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;

/** Path of the nginx program; installs it where that can be done. Rejects with `PeerMissing`. */
export async function findNginx(stop: AbortSignal): Promise<string> {
  const found = findOnPath('nginx', SEARCHED);
  if (found !== undefined) return found;
  const reason = await installDebianPackage('nginx', stop);
  const installed = findOnPath('nginx', SEARCHED);
  if (installed === undefined) throw new PeerMissing(`no nginx: ${reason ?? 'it is not on PATH'}`);
  return installed;
}

/** Path of Nchan's module; installs it where that can be done. Rejects with `PeerMissing`. */
export async function findNchanModule(nginx: string, stop: AbortSignal): Promise<string> {
  // -V writes to stderr.
  const about = execFileSync('sh', ['-c', '"$0" -V 2>&1', nginx], { encoding: 'utf8' });
  const folder = /--modules-path=(\S+)/.exec(about)?.[1] ?? '/usr/lib/nginx/modules';
  const module = join(folder, 'ngx_nchan_module.so');
  if (existsSync(module)) return module;
  const reason = await installDebianPackage('libnginx-mod-nchan', stop);
  if (!existsSync(module)) throw new PeerMissing(`no Nchan: ${reason ?? 'nginx has no module'}`);
  return module;
}
