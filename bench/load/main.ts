/**
 * The load generator as a process of its own, with the receiver of the callbacks. Takes jobs from
 * the parent one by one, answers each with its result, and ends with the parent.
 */

import { Agent } from 'node:http';
import { startCallbackReceiver } from './callback-receiver.ts';
import { directFlow } from './direct-flow.ts';
import { fanOut } from './fan-out.ts';
import { type GatewayFlow, gatewayFlow, initStream, signCallers } from './gateway-flow.ts';
import { generateFlow } from './generate-flow.ts';
import type {
  AuditJob,
  FanOutJob,
  FanOutResult,
  LoadJob,
  LoadResult,
  ReadersAttached,
  ReadersGo,
  Target,
} from './job.ts';
import { createExchanges, type Exchange } from './prompts.ts';

/** Time for the last callbacks after the last stream, in ms: retries with short pauses fit in. */
const CALLBACK_WAIT_MS = 15_000;

const receiver = await startCallbackReceiver();
const callerTokens = await signCallers(process.env['JWT_SECRET'] ?? '');
let opened = 0;
let go: () => void = () => undefined;

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

function flow(target: Target, exchange: Exchange, agent: Agent): Promise<number> {
  switch (target.kind) {
    case 'direct':
    case 'whole':
      return directFlow(target, exchange, agent);
    case 'generate':
      return generateFlow({
        baseUrl: target.baseUrl,
        exchange,
        callerToken: nextCaller(),
        agent,
      });
    default:
      return gatewayFlow(nextFlow(target, exchange, agent));
  }
}

function nextCaller(): string {
  opened += 1;
  return callerTokens[opened % callerTokens.length] ?? '';
}

function nextFlow(
  { baseUrl }: Target,
  exchange: Exchange,
  agent: Agent,
  isCancelled = false,
): GatewayFlow {
  const callerToken = nextCaller();
  const resumeUrl = isCancelled ? receiver.expectCancelled() : receiver.expect(exchange.answer);
  return { baseUrl, exchange, callerToken, resumeUrl, agent };
}

async function runFanOut(job: FanOutJob): Promise<FanOutResult> {
  const agent = new Agent({ keepAlive: true });
  const result = await fanOut({
    job,
    openStream: (exchange) => initStream(nextFlow(job.target, exchange, agent, job.isIdle)),
    agent,
    attached() {
      process.send?.({ type: 'attached' } satisfies ReadersAttached);
      return new Promise((resolve) => {
        go = resolve;
      });
    },
    settled: () => receiver.settled(CALLBACK_WAIT_MS),
  });
  agent.destroy();
  return { ...result, failures: [...result.failures, ...receiver.takeFailures()] };
}

process.on('disconnect', () => process.exit());
process.on('message', async (message: LoadJob | FanOutJob | AuditJob | ReadersGo) => {
  switch (message.type) {
    case 'load':
      process.send?.(await run(message));
      return;
    case 'fan-out':
      process.send?.(await runFanOut(message));
      return;
    case 'audit':
      process.send?.({ failures: receiver.takeFailures() });
      return;
    case 'go':
      go();
  }
});
