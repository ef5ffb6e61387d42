/** The origin process: reads the environment, listens, and goes down in order. */

import { describeError } from '@headwater/shared/protocol/describe-error';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { SettingsError } from '@headwater/shared/protocol/settings';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import { type OriginConfig, readConfig } from './config.ts';
import { createGateway, type OriginGateway } from './gateway.ts';

/** Time for callbacks to leave once the process is asked to stop, in ms. */
const GOODBYE_MS = 3_000;

/** Time beyond both of these in which what was asked to stop has to have stopped, in ms. */
const SPARE_MS = 8_000;

/** Log lines wait for so many bytes, or so long. */
const LOG_BUFFER_BYTES = 4096;
const LOG_FLUSH_MS = 200;

function configOrExit(): OriginConfig {
  try {
    return readConfig(process.env);
  } catch (thrown) {
    if (!(thrown instanceof SettingsError)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    return process.exit(1);
  }
}

async function gatewayOrExit(): Promise<OriginGateway> {
  try {
    return await createGateway(config, process.env, logger);
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    return process.exit(1);
  }
}

const config = configOrExit();
const { listen } = config;
const logger = pino(
  { base: { host: 'origin' }, serializers: { err: describeError } },
  // A write a line would cost a short stream a tenth of its CPU. What is left goes out at the exit.
  pino.destination({ sync: false, minLength: LOG_BUFFER_BYTES, periodicFlush: LOG_FLUSH_MS }),
);
const gateway = await gatewayOrExit();
const app = await buildApp(gateway, logger);

async function stop(reason: string): Promise<void> {
  logger.info({ reason }, 'stopping');
  const { shutdownGraceMs } = config.origin;
  setTimeout(() => process.exit(1), shutdownGraceMs + GOODBYE_MS + SPARE_MS).unref();
  await Promise.all([
    gateway.sessions.close(shutdownGraceMs),
    gateway.tasks.stop(shutdownGraceMs),
    app.awaited.end(shutdownGraceMs),
  ]);
  await gateway.outbox.flush(GOODBYE_MS);
  await app.close();
  await gateway.close();
  process.exit(0);
}

let stopping = false;
for (const event of ['SIGINT', 'SIGTERM', 'disconnect'] as const) {
  process.on(event, () => {
    // Asked twice: whoever asks does not want to wait. What is live is kept either way.
    if (stopping && event !== 'disconnect') process.exit(1);
    if (stopping) return;
    stopping = true;
    void stop(event);
  });
}

try {
  const address = await app.listen({ host: listen.host, port: listen.port });
  const { role, queueKind: queue, engines } = gateway.tasks;
  const fields = { address, role, queue, storage: gateway.storage, engines: engines.names() };
  logger.info(fields, 'origin is up');
} catch (thrown) {
  const { code } = thrown as { code?: string };
  process.stderr.write(
    code === 'EADDRINUSE'
      ? `Port ${listen.port} is taken: set PORT to a free one.\n`
      : `The origin cannot listen on ${listen.host}:${listen.port} (${code ?? 'unknown'}).\n`,
  );
  process.exit(1);
}
// Before tasks that are over may be forgotten, whoever waits for their end notes it.
await gateway.start();
await gateway.tasks.start();
