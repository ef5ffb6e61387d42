/**
 * The least a Node process can do between a caller and a vendor: the request in, the same request
 * out, `pipe` back. No session, no log, no callback. Takes the vendor's URL from `UPSTREAM_URL`,
 * sends its own URL to the parent and ends with it.
 */

import { Agent, createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Longer than any pause of a run, so that no kept connection closes under a request, in ms. */
const KEEP_ALIVE_MS = 300_000;

/** RFC 9110 §7.6.1: they belong to one connection, and Node writes its own. */
const OWN_HEADERS = ['connection', 'host', 'keep-alive', 'transfer-encoding'];

const upstream = process.env['UPSTREAM_URL'] ?? '';
const agent = new Agent({ keepAlive: true });

const server = createServer((incoming, outgoing) => {
  const options = { agent, method: incoming.method, headers: passedOn(incoming.headers) };
  const forwarded = request(new URL(incoming.url ?? '/', upstream), options, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, passedOn(answer.headers));
    answer.pipe(outgoing);
  });
  forwarded.on('error', () => outgoing.destroy());
  incoming.pipe(forwarded);
});

function passedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept = { ...headers };
  for (const name of OWN_HEADERS) delete kept[name];
  return kept;
}

process.on('disconnect', () => process.exit());
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ url: `http://127.0.0.1:${port}` });
});
