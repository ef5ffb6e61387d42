/** What the process of the embedded database and its owner say to each other. */

/** To the process. */
export type ServerRequest =
  /** Bytes of a client, whole messages of Postgres' protocol. Connections are numbered from 1. */
  | { readonly type: 'bytes'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly type: 'close' };

/** Of the process. */
export type ServerWord =
  | { readonly type: 'ready' }
  /** Of the server, to the client of that connection. */
  | { readonly type: 'bytes'; readonly connection: number; readonly bytes: Uint8Array }
  /** It ends, because of something that nobody waits for. */
  | { readonly type: 'dying'; readonly cause: unknown };
