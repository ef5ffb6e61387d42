/** Inputs by URL, fetched so that nobody reaches through the gateway what only it can reach. */

import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { checkDialUrl, type DialPolicy } from '@headwater/shared/security/dial-guard';
import { isListedHost } from '@headwater/shared/security/host-list';
import { Agent, type Dispatcher, request } from 'undici';
import { createGuardedLookup, PRIVATE_ADDRESS, type Resolve } from '../adapters/guarded-fetch.ts';
import type { OpenedInput, OpenInput } from './opened-input.ts';

/** Time limits, in ms. */
export interface FetchTimes {
  /** For a connection. Default 5 s. */
  readonly connectMs: number;
  /** Without a byte: before the head of the answer, and within its body. Default 10 s. */
  readonly silenceMs: number;
  /** For all of it, redirects included. Default 60 s. */
  readonly totalMs: number;
}

const TIMES: FetchTimes = { connectMs: 5_000, silenceMs: 10_000, totalMs: 60_000 };

/** Redirects that are followed; RFC 1945 §9.3 names five. */
const MAX_REDIRECTS = 5;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Neither a cookie nor a credential; and no compression, which some servers use none the less. */
const HEADERS = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'headwater' };

const DECODERS: Readonly<Record<string, () => NodeJS.ReadWriteStream>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

const TIMEOUT_CODES: ReadonlySet<unknown> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);

/** A fetch that holds connections. */
export interface InputFetch {
  readonly open: OpenInput;
  close(): Promise<void>;
}

/**
 * Makes the fetch. `policy` is `INPUT_ALLOWED_HOSTS`, and loopback in DEV_MODE: other hosts must be
 * public and https. Every hop is judged anew, by its URL and by all addresses its name resolves to;
 * the connection goes to one of those very addresses.
 */
export function createInputFetch(
  policy: DialPolicy,
  times: Partial<FetchTimes> = {},
  resolve?: Resolve,
): InputFetch {
  const { connectMs, silenceMs, totalMs } = { ...TIMES, ...times };
  const limits = { headersTimeout: silenceMs, bodyTimeout: silenceMs, maxHeaderSize: 16 * 1024 };
  const lookup = createGuardedLookup(policy, resolve);
  const guarded = new Agent({ ...limits, connect: { timeout: connectMs, lookup } });
  const listed = new Agent({ ...limits, connect: { timeout: connectMs } });

  async function follow(
    raw: string,
    field: string,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    let next = raw;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const url = checkDialUrl(next, policy, {
        field,
        setting: 'INPUT_ALLOWED_HOSTS',
        requireHttps: true,
        noCredentials: 'Leave them out; sign the URL instead.',
      });
      const response = await request(url, {
        dispatcher: isListedHost(url, policy.allowedHosts) ? listed : guarded,
        headers: HEADERS,
        signal,
      });
      const { location } = response.headers;
      if (!REDIRECTS.has(response.statusCode) || typeof location !== 'string') return response;
      response.body.on('error', ignore).destroy();
      next = resolveLocation(location, url, field);
    }
    throw new GatewayError(
      'upstream_failed',
      `${field} redirects more than ${MAX_REDIRECTS} times.`,
    );
  }

  return {
    async open(raw, field, outer) {
      const signal = AbortSignal.any([outer, AbortSignal.timeout(totalMs)]);
      try {
        return openResponse(await follow(raw, field, signal), field, signal);
      } catch (thrown) {
        throw fetchFault(thrown, field, signal);
      }
    },
    async close() {
      await Promise.all([guarded.destroy(), listed.destroy()]);
    },
  };
}

/** Errors: `upstream_failed` for any answer but a whole one. */
function openResponse(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  field: string,
  signal: AbortSignal,
): OpenedInput {
  const encoding = String(headers['content-encoding'] ?? 'identity').toLowerCase();
  const decoder = DECODERS[encoding];
  const refusal =
    statusCode !== 200
      ? `its host answered with status ${statusCode}`
      : decoder === undefined && encoding !== 'identity'
        ? 'its host sent it in an encoding that is not known'
        : undefined;
  if (refusal !== undefined) {
    body.on('error', ignore).destroy();
    throw new GatewayError('upstream_failed', `${field} could not be fetched: ${refusal}.`);
  }
  const length = headers['content-length'];
  const type = headers['content-type'];
  const isAnnounced = decoder === undefined && typeof length === 'string';
  const bytes = decoder === undefined ? body : decode(body, decoder());
  return {
    announcedBytes: isAnnounced ? Number(length) : undefined,
    mediaType: typeof type === 'string' ? type.slice(0, 200) : undefined,
    bytes: readBody(bytes, field, signal),
    cancel() {
      body.on('error', ignore).destroy();
      bytes.on('error', ignore).destroy();
    },
  };
}

/** Decoded as it is read: a bomb stops with its reader. */
function decode(body: Readable, decoder: NodeJS.ReadWriteStream): Readable {
  // Its error is the reader's too.
  return pipeline(body, decoder, ignore) as unknown as Readable;
}

async function* readBody(
  body: Readable,
  field: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (thrown) {
    throw fetchFault(thrown, field, signal);
  }
}

/** Judged word for word, too: `//host\path` means one thing here and another elsewhere. */
function resolveLocation(location: string, from: URL, field: string): string {
  if (/[\s\\\p{Cc}]/u.test(location) || !URL.canParse(location, from.href)) {
    throw new GatewayError('upstream_failed', `${field} redirects to what is no URL.`);
  }
  return new URL(location, from).href;
}

function fetchFault(thrown: unknown, field: string, signal: AbortSignal): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const { code } = thrown as { code?: unknown };
  if (code === PRIVATE_ADDRESS) {
    const message =
      'leads to a private address. Use a public one, or list its host in INPUT_ALLOWED_HOSTS.';
    return new GatewayError('validation_failed', `${field} ${message}`, {
      cause: thrown,
      details: { fields: [{ path: field, message }] },
    });
  }
  if (signal.aborted || TIMEOUT_CODES.has(code)) {
    return new GatewayError('upstream_timeout', `${field} took too long to fetch.`, {
      cause: thrown,
    });
  }
  return new GatewayError(
    'upstream_failed',
    `${field} could not be fetched: its host cannot be reached, or broke off.`,
    {
      cause: thrown,
    },
  );
}

/** What is thrown away may fail. */
function ignore(): void {}
