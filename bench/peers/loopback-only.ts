// Keeps a program that has no setting for its address on 127.0.0.1.
//
// Usage: node --import <this file> <program>
import { Server } from 'node:net';

const listen = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server;

Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
  const port = typeof args[0] === 'object' ? (args[0] as { port?: number }).port : args[0];
  const onListening = args.find((arg) => typeof arg === 'function');
  return listen.call(this, { port, host: '127.0.0.1' }, onListening);
} as Server['listen'];
