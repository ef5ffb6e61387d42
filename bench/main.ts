/** `npm run bench`: measures both gateways beside their peers and shows the scorecard. */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CommandFault, runCommand } from '../scripts/processes/command.ts';
import { measure } from './measure/measure.ts';
import { findEdgeTools } from './peers/edge-tools.ts';
import { startPeers } from './peers/start-peers.ts';
import { planOf } from './plan.ts';
import { createChildren } from './processes/children.ts';
import { describeMachine } from './report/machine.ts';
import { scorecardOf } from './report/scorecard.ts';
import { formatTable } from './report/table.ts';
import { measureRetrieval } from './retrieval/measure-retrieval.ts';
import { readWish, SERVERS, USAGE, type Wish } from './rows.ts';
import { measureTasks } from './tasks/measure-tasks.ts';

/** Faults that are printed; the results file has all of them. */
const SHOWN_FAILURES = 20;

const root = resolve(import.meta.dirname, '..');

/** Everything a results file says. */
type Results = Awaited<ReturnType<typeof bench>>;

async function bench({ quick, rows, cpuProfile }: Wish, stop: AbortSignal, directory: string) {
  const plan = planOf(quick);
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const children = createChildren(directory);
  const startedAt = new Date().toISOString();
  // The load generator answers only when a job is over: a stop must not wait for that.
  const onStop = () => void children.stopAll();
  stop.addEventListener('abort', onStop, { once: true });
  try {
    const script = (path: string) => [process.execPath, join(root, path)] as const;
    const jwtSecret = randomBytes(32).toString('hex');
    const vendor = await children.start({ name: 'vendor', command: script('bench/vendor.ts') });
    const { url: vendorUrl } = (await vendor.message()) as { url: string };
    const generator = await children.start({
      name: 'load',
      command: script('bench/load/main.ts'),
      env: { JWT_SECRET: jwtSecret },
    });
    progress('starting the servers');
    const tools = findEdgeTools(root);
    const names = [...new Set(rows.flatMap((row) => SERVERS[row]))];
    const profiles = cpuProfile ? { profiles: join(root, 'bench/.profiles') } : {};
    const context = { root, directory, vendorUrl, jwtSecret, children, stop, ...profiles };
    const { running, missing } = await startPeers(context, tools, names);
    for (const reason of Object.values(missing)) progress(reason);
    const options = { plan, peers: running, vendorUrl, generator, stop, progress };
    const measured = await measure(options, rows);
    const queue = await measureTasks({ ...context, plan: plan.tasks, progress }, rows);
    if (queue.missing !== undefined) progress(`no rows of tasks: ${queue.missing}`);
    const found = await measureRetrieval({ ...context, plan: plan.retrieval, progress }, rows);
    if (found.missing !== undefined) progress(`no rows of retrieval: ${found.missing}`);
    return {
      startedAt,
      mode: quick ? 'quick' : 'default',
      rows,
      machine: describeMachine(tools.workerdVersion),
      commands: Object.fromEntries(running.map(({ name, command }) => [name, command])),
      missing,
      plan,
      scorecard: scorecardOf(measured, missing, queue.tasks, found.retrieval),
      ...measured,
      tasks: queue.tasks,
      retrieval: found.retrieval,
      failures: [...measured.failures, ...queue.failures],
    };
  } finally {
    stop.removeEventListener('abort', onStop);
    await children.stopAll();
  }
}

function show({ machine, mode, scorecard, failures }: Results): void {
  const { cores, cpu, node, workerd } = machine;
  process.stdout.write(`\n${cores} × ${cpu}, Node ${node}, workerd ${workerd}, ${mode} run\n\n`);
  process.stdout.write(`${formatTable(scorecard)}\n\n`);
  process.stdout.write('Every round: bench/results.json. What a row means: bench/README.md.\n');
  for (const failure of failures.slice(0, SHOWN_FAILURES)) process.stdout.write(`✗ ${failure}\n`);
  process.stdout.write(
    failures.length === 0
      ? 'Every stream arrived whole, every callback once, every task ended as it should.\n'
      : `${failures.length} failures: the numbers above are not to be used.\n`,
  );
}

await runCommand(async (args, stop) => {
  const wish = readWish(args);
  if (wish === undefined) throw new CommandFault(USAGE, 2);
  const directory = mkdtempSync(join(tmpdir(), 'headwater-bench-'));
  try {
    const results = await bench(wish, stop, directory);
    writeFileSync(join(root, 'bench/results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
    show(results);
    return results.failures.length === 0 ? 0 : 1;
  } catch (thrown) {
    if (stop.aborted) throw new CommandFault('Stopped.', 130);
    throw new CommandFault(thrown instanceof Error ? thrown.message : String(thrown));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
