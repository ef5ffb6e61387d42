/** The servers that run on workerd, without wrangler's development proxy in front. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../processes/free-port.ts';
import { waitForAnswer } from '../processes/wait-for-answer.ts';
import type { EdgeTools } from './edge-tools.ts';
import {
  gatewaySettings,
  type Peer,
  type PeerContext,
  type PeerName,
  SMALL_RETENTION_SECONDS,
} from './peer.ts';
import { type WorkerdOptions, workerdConfig } from './workerd-config.ts';

/**
 * 128 MB is what a deployed Worker has (https://developers.cloudflare.com/workers/platform/limits):
 * without a bound V8 lets garbage lie for as long as the machine has room.
 */
const DEPLOYED_HEAP = ['--max-heap-size=128'];

/** The gateway's own default, in seconds. */
const RETENTION_SECONDS = 600;

/** A Worker to run. */
interface WorkerPlan {
  readonly name: PeerName;
  readonly kind: Peer['target']['kind'];
  /** The module's text. */
  readonly code: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly v8Flags?: readonly string[];
  readonly objects?: NonNullable<WorkerdOptions['objects']>['bindings'];
}

/** Starts the edge from its bundle, with its objects on a fresh disk folder. */
export function startEdge(
  context: PeerContext,
  tools: EdgeTools,
  name: 'edge' | 'edge, small',
  code: string,
): Promise<Peer> {
  return startWorker(context, tools, {
    name,
    kind: 'gateway',
    code,
    vars: gatewaySettings(context, name === 'edge, small'),
    v8Flags: name === 'edge, small' ? DEPLOYED_HEAP : [],
    objects: tools.config.durable_objects.bindings,
  });
}

/** Starts one of the pipes of `bench/baseline`. */
export function startWorkerdPipe(
  context: PeerContext,
  tools: EdgeTools,
  name: 'workerd pipe' | 'workerd script pipe',
): Promise<Peer> {
  const file = name === 'workerd pipe' ? 'worker-native-pipe.js' : 'worker-script-pipe.js';
  return startWorker(context, tools, {
    name,
    kind: 'direct',
    code: readBaseline(context, file),
    vars: { UPSTREAM_URL: context.vendorUrl },
  });
}

/**
 * Starts the pipe that gives every answer a Durable Object: what is workerd's own in the edge's cost.
 * What it keeps, it keeps for as long as the edge beside it.
 */
export function startObjectPipe(
  context: PeerContext,
  tools: EdgeTools,
  name: 'workerd object pipe' | 'workerd object pipe, small',
): Promise<Peer> {
  const isSmall = name === 'workerd object pipe, small';
  const keepSeconds = isSmall ? SMALL_RETENTION_SECONDS : RETENTION_SECONDS;
  return startWorker(context, tools, {
    name,
    kind: 'direct',
    code: readBaseline(context, 'worker-object-pipe.js'),
    vars: { UPSTREAM_URL: context.vendorUrl, KEEP_MS: String(keepSeconds * 1000) },
    v8Flags: isSmall ? DEPLOYED_HEAP : [],
    objects: [{ name: 'PIPES', class_name: 'PipeObject' }],
  });
}

function readBaseline({ root }: PeerContext, file: string): string {
  return readFileSync(join(root, 'bench/baseline', file), 'utf8');
}

async function startWorker(
  context: PeerContext,
  tools: EdgeTools,
  plan: WorkerPlan,
): Promise<Peer> {
  const { name, kind, code, vars, objects, v8Flags = [] } = plan;
  const directory = join(context.directory, name.replaceAll(' ', '-'));
  const disk = join(directory, 'disk');
  mkdirSync(disk, { recursive: true });
  const port = await freePort();
  const configFile = join(directory, 'config.capnp');
  writeFileSync(join(directory, 'worker.js'), code);
  writeFileSync(
    configFile,
    workerdConfig({
      port,
      compatibilityDate: tools.config.compatibility_date,
      compatibilityFlags: tools.config.compatibility_flags,
      vars,
      v8Flags,
      ...(objects === undefined ? {} : { objects: { directory: disk, bindings: objects } }),
    }),
  );
  const guard = join(context.root, 'bench/processes/guard.ts');
  const child = await context.children.start({
    name,
    command: [process.execPath, guard, tools.workerd, 'serve', configFile],
  });
  const { pid } = (await child.message()) as { pid: number };
  const baseUrl = `http://127.0.0.1:${port}`;
  await Promise.race([waitForAnswer(`${baseUrl}/health`, context.stop), child.message()]);
  return { name, target: { kind, baseUrl }, pid, command: `workerd serve ${name} config.capnp` };
}
