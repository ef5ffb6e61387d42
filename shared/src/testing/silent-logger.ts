/** A logger that keeps its lines to itself. */

import type { Logger } from '../stream/ports.ts';

/** One line. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Makes a logger that remembers what it was told. */
export function createSilentLogger(): Logger & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const write =
    (level: LogLine['level']) => (fields: Readonly<Record<string, unknown>>, message: string) => {
      lines.push({ level, message, fields });
    };
  return { lines, info: write('info'), warn: write('warn'), error: write('error') };
}
