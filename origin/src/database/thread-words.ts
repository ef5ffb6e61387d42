/** What the embedded database's thread and its owner say to each other. */

/** To the thread. */
export type ThreadRequest =
  /** Bytes of a client, whole messages of Postgres' protocol. Connections are numbered from 1. */
  | { readonly type: 'bytes'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly type: 'close' };

/** Of the thread. */
export type ThreadWord =
  | { readonly type: 'ready' }
  /** Of the server, to the client of that connection. */
  | { readonly type: 'bytes'; readonly connection: number; readonly bytes: Uint8Array };
