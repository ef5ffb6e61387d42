/** A load balancer: one address, before origins of which some may be gone. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A running balancer. */
export interface Balancer {
  readonly baseUrl: string;
  close(): Promise<void>;
}

/** Who is asked first: always the first origin, or each in turn. */
export type Preference = 'first' | 'turns';

/** Sends each connection to the first of the origins that takes it. */
export async function startBalancer(
  baseUrls: readonly string[],
  preference: Preference = 'first',
): Promise<Balancer> {
  const ports = baseUrls.map((baseUrl) => Number(new URL(baseUrl).port));
  let turn = 0;
  const open = new Set<Socket>();

  function forward(client: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined) return void client.destroy();
    const upstream = connect(port, '127.0.0.1');
    const refused = () => forward(client, others);
    upstream.once('error', refused);
    upstream.once('connect', () => {
      upstream.off('error', refused);
      join(client, upstream);
    });
  }

  function join(client: Socket, upstream: Socket): void {
    client.pipe(upstream).pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      // A side that breaks off takes the other one with it.
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }

  const server = createServer((client) => {
    open.add(client);
    client.on('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    const first = preference === 'first' ? 0 : turn % ports.length;
    turn += 1;
    forward(client, [...ports.slice(first), ...ports.slice(0, first)]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const client of open) client.destroy();
      await closed;
    },
  };
}
