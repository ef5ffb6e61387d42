import { createServer } from 'node:net';
import { CommandFault } from '../processes/command.ts';

/**
 * Resolves when a server can listen on 127.0.0.1 at this port.
 *
 * @param setting the setting that chooses the port, for the message
 * @returns rejects with a `CommandFault` when the port is taken or may not be used
 */
export function assertPortFree(port: number, setting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new CommandFault(describePortFault(port, setting, error.code)));
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () =>
      server.close(() => resolve()),
    );
  });
}

/** The one sentence for a port that cannot be used. */
export function describePortFault(port: number, setting: string, code: string | undefined): string {
  const fault =
    code === 'EADDRINUSE' ? 'is already in use' : `cannot be used (${code ?? 'unknown reason'})`;
  return `Port ${port} ${fault}: set ${setting} to a free port.`;
}
