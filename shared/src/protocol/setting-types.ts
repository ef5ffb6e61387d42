/** The types a setting may have. Each reads trimmed text, and no message of theirs shows a value. */

import * as z from 'zod';

/** Smallest HS256 secret, in bytes: RFC 7518 §3.2 asks for no less than the hash's output. */
const MIN_SECRET_BYTES = 32;

/** Text that is not empty. */
export const text = z.string({
  error: (issue) => (issue.input === undefined ? 'is required.' : 'is not text.'),
});

/** `true` or `false`, also `1`/`0`, `yes`/`no` and `on`/`off`. */
export const flag = text.transform((value, context) => {
  if (/^(?:true|1|yes|on)$/i.test(value)) return true;
  if (/^(?:false|0|no|off)$/i.test(value)) return false;
  return fault(context, 'is neither true nor false.');
});

/** A whole number within bounds, both of which belong to it. */
export const wholeNumber = (min: number, max: number) =>
  text.transform((value, context) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    return fault(context, `is not a whole number from ${min} to ${max}.`);
  });

/** An http or https URL without credentials, query and fragment; read without a slash at the end. */
export const httpUrl = text.transform((value, context) => {
  const url = readBaseUrl(value);
  return url ?? fault(context, URL_FAULT);
});

/** A comma-separated list of {@link httpUrl}. */
export const httpUrlList = text.transform((value, context) =>
  readList(value, context, readBaseUrl, URL_FAULT),
);

/** A comma-separated list of exact origins (scheme, host, port). */
export const originList = text.transform((value, context) =>
  readList(
    value,
    context,
    (entry) => {
      const base = readBaseUrl(entry);
      return base !== undefined && base === new URL(base).origin ? base : undefined;
    },
    'is not an exact origin such as https://app.example.com; patterns, * and paths are not taken.',
  ),
);

/** A comma-separated list of hosts: `name`, `*.name` or an address, each with or without `:port`. */
export const hostList = text.transform((value, context) =>
  readList(
    value,
    context,
    (entry) => {
      const authority = entry.replace(/^\*\./, '');
      const isHost = !/[/\\?#@*\s]/.test(authority) && URL.canParse(`http://${authority}/`);
      return isHost ? entry.toLowerCase() : undefined;
    },
    'is not a host such as n8n.example.com, *.example.com or 10.0.0.7:5678; leave out the scheme and the path.',
  ),
);

/** A comma-separated list of HS256 secrets. */
export const secretList = z
  .string({
    error: (issue) =>
      issue.input === undefined
        ? `is required: at least ${MIN_SECRET_BYTES} random bytes, such as "openssl rand -base64 32" prints.`
        : 'is not text.',
  })
  .transform((value, context): readonly [string, ...string[]] => {
    const secrets = readList(
      value,
      context,
      (entry) => (new TextEncoder().encode(entry).length >= MIN_SECRET_BYTES ? entry : undefined),
      `is shorter than ${MIN_SECRET_BYTES} bytes; "openssl rand -base64 32" prints a good one.`,
    );
    const [first, ...rest] = secrets;
    return first === undefined ? z.NEVER : [first, ...rest];
  });

/** Where Redis listens, as its clients take it: `redis://` or `rediss://`, with credentials where it asks for them. */
export const redisUrl = text.transform((value, context) =>
  /^rediss?:\/\/[^\s]+$/.test(value) && URL.canParse(value)
    ? value
    : fault(context, 'is not a URL such as redis://localhost:6379.'),
);

/** Address of a Postgres database, TLS by `sslmode` in its query. */
export const postgresUrl = text.transform((value, context) =>
  /^postgres(?:ql)?:\/\/[^\s]+$/.test(value) && URL.canParse(value)
    ? value
    : fault(context, 'is not a URL such as postgres://user:password@localhost:5432/headwater.'),
);

/** A dated version of Azure's API, `2024-10-21` or `2025-04-01-preview`. */
export const apiVersion = text.transform((value, context) =>
  /^\d{4}-\d{2}-\d{2}(?:-preview)?$/.test(value)
    ? value
    : fault(context, 'is not a dated version such as 2024-10-21.'),
);

/** A model's name, as requests give it. */
export const modelName = text.transform((value, context) =>
  /^\S{1,256}$/.test(value) ? value : fault(context, 'is not the name of a model.'),
);

/**
 * Where Ollama listens: a URL, or as Ollama's own `OLLAMA_HOST` takes it, `host` or `host:port`,
 * which means http and by default port 11434.
 */
export const ollamaHost = text.transform((value, context) => {
  if (value.includes('://')) return readBaseUrl(value) ?? fault(context, URL_FAULT);
  const hasPort = /:\d{1,5}$/.test(value) && !/^[^[]*:[^[]*:/.test(value);
  return (
    readBaseUrl(`http://${value}${hasPort ? '' : ':11434'}`) ??
    fault(context, 'is neither a URL nor host:port.')
  );
});

const URL_FAULT =
  'is not an http or https URL without user name, query and fragment, such as https://api.example.com/v1.';

type Context = z.RefinementCtx<unknown>;

function fault(context: Context, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

function readBaseUrl(value: string): string | undefined {
  if (/[\s\\?#]/.test(value) || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  const isHttp = url.protocol === 'https:' || url.protocol === 'http:';
  if (!isHttp || url.username !== '' || url.password !== '') return undefined;
  return url.href.replace(/\/+$/, '');
}

function readList(
  value: string,
  context: Context,
  readEntry: (entry: string) => string | undefined,
  message: string,
): readonly string[] {
  const entries = value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (entries.length === 0) return fault(context, 'is a list without an entry.');
  return entries.flatMap((entry, index) => {
    const read = readEntry(entry);
    if (read !== undefined) return [read];
    const which = entries.length === 1 ? '' : `entry ${index + 1} `;
    return fault(context, `${which}${message}`);
  });
}
