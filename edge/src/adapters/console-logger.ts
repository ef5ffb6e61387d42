/** JSON lines on the console, in pino's field names, so that both hosts' logs read alike. */

import { describeError } from '@headwater/shared/protocol/describe-error';
import type { Logger } from '@headwater/shared/stream/ports';

type Level = 'info' | 'warn' | 'error';

/** A logger that adds `bindings` to every line. */
export function createConsoleLogger(bindings: Readonly<Record<string, unknown>> = {}): Logger {
  const write = (level: Level) => (fields: Readonly<Record<string, unknown>>, msg: string) => {
    const { err, ...rest } = fields;
    const error = err === undefined ? {} : { err: describeError(err) };
    console.log(
      JSON.stringify({
        level,
        time: Date.now(),
        host: 'edge',
        ...bindings,
        ...rest,
        ...error,
        msg,
      }),
    );
  };
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
