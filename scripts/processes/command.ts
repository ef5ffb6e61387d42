import { once } from 'node:events';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A failure that one sentence explains to whoever typed the command; no stack is shown for it. An
 * empty sentence says that something else has explained it already.
 */
export class CommandFault extends Error {
  override readonly name = 'CommandFault';
  /** What the process exits with: 1 for a failure, 2 for arguments that make no sense. */
  readonly exitCode: number;

  constructor(sentence: string, exitCode = 1) {
    super(sentence);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a command to its end and exits with its code. SIGINT, SIGTERM, SIGHUP and the sudden end of
 * the bootstrap abort `stop`; the command then ends what it started and returns.
 *
 * @param main the command: gets its arguments, resolves to the exit code, rejects with a
 *   `CommandFault` for a failure that a sentence explains
 */
export async function runCommand(
  main: (args: readonly string[], stop: AbortSignal) => Promise<number>,
): Promise<void> {
  const stopping = new AbortController();
  for (const name of STOP_SIGNALS) process.on(name, () => stopping.abort());
  if (process.channel !== undefined) {
    process.once('disconnect', () => stopping.abort());
    process.channel.unref();
  }
  let exitCode: number;
  try {
    exitCode = await main(process.argv.slice(2), stopping.signal);
  } catch (error) {
    if (!(error instanceof CommandFault)) throw error;
    if (error.message !== '') process.stderr.write(`${error.message}\n`);
    exitCode = error.exitCode;
  }
  // Output to a pipe is written in the background, and exit() would cut it off.
  if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  process.exit(exitCode);
}
