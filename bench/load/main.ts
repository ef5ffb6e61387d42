/**
 * The load generator as a process of its own, with the receiver of the callbacks. Takes jobs from
 * the parent one by one, answers each with its result, and ends with the parent.
 */

import { Agent } from 'node:http';
import { startCallbackReceiver } from './callback-receiver.ts';
import { directFlow } from './direct-flow.ts';
import { gatewayFlow, signCallers } from './gateway-flow.ts';
import type { AuditJob, LoadJob, LoadResult, Target } from './job.ts';
import { createExchanges, type Exchange } from './prompts.ts';

/** Time for the last callbacks after the last stream, in ms: retries with short pauses fit in. */
const CALLBACK_WAIT_MS = 15_000;

const receiver = await startCallbackReceiver();
const callerTokens = await signCallers(process.env['JWT_SECRET'] ?? '');
let opened = 0;

async function run(job: LoadJob): Promise<LoadResult> {
  // Connections of its own: one that idled since the last job may be closing at the other end.
  const agent = new Agent({ keepAlive: true });
  const exchanges = createExchanges(job);
  const firstTokenMs: number[][] = job.targets.map(() => []);
  const failures: string[] = [];
  let tokens = 0;
  let next = 0;

  async function lane(): Promise<void> {
    while (next < job.streams) {
      const stream = next;
      next += 1;
      const exchange = exchanges[stream % exchanges.length];
      if (exchange === undefined) return;
      for (const [at, target] of job.targets.entries()) {
        try {
          firstTokenMs[at]?.push(await flow(target, exchange, agent));
          tokens += job.tokens;
        } catch (thrown) {
          failures.push(`stream ${stream} of ${target.baseUrl}: ${thrown}`);
        }
      }
    }
  }

  const startedMs = performance.now();
  await Promise.all(Array.from({ length: job.concurrency }, lane));
  await receiver.settled(CALLBACK_WAIT_MS);
  const wallMs = performance.now() - startedMs;
  agent.destroy();
  return { tokens, wallMs, firstTokenMs, failures: [...failures, ...receiver.takeFailures()] };
}

function flow({ kind, baseUrl }: Target, exchange: Exchange, agent: Agent): Promise<number> {
  if (kind === 'direct') return directFlow(baseUrl, exchange, agent);
  opened += 1;
  const callerToken = callerTokens[opened % callerTokens.length] ?? '';
  const resumeUrl = receiver.expect(exchange.answer);
  return gatewayFlow({ baseUrl, exchange, callerToken, resumeUrl, agent });
}

process.on('disconnect', () => process.exit());
process.on('message', async (job: LoadJob | AuditJob) => {
  const nothing = { tokens: 0, wallMs: 0, firstTokenMs: [] };
  const result: LoadResult =
    job.type === 'load' ? await run(job) : { ...nothing, failures: receiver.takeFailures() };
  process.send?.(result);
});
