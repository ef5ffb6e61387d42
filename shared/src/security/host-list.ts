/** Lists of hosts, as settings give them. */

/** Host name or address of `url` in one spelling: without a trailing dot, as WHATWG writes it. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/\.+$/, '');
}

/**
 * Whether `url` points at one of `hosts`. An entry is an exact host (`n8n.example.com`, `10.0.0.7`,
 * `[fd00::7]`) or stands for all names below one (`*.example.com`, which is not `example.com`
 * itself). With a port (`n8n:5678`) it holds for that port alone, else for every port. Entries
 * that cannot be read match nothing.
 */
export function isListedHost(url: URL, hosts: readonly string[]): boolean {
  const host = hostOf(url);
  const port = portOf(url);
  return hosts.some((entry) => {
    const pattern = readEntry(entry);
    if (pattern === undefined) return false;
    if (pattern.port !== undefined && pattern.port !== port) return false;
    return pattern.isSuffix ? host.endsWith(`.${pattern.host}`) : host === pattern.host;
  });
}

interface HostEntry {
  readonly host: string;
  readonly port: string | undefined;
  readonly isSuffix: boolean;
}

function readEntry(entry: string): HostEntry | undefined {
  const isSuffix = entry.startsWith('*.');
  const authority = isSuffix ? entry.slice(2) : entry;
  const port = /:(\d{1,5})$/.exec(authority)?.[1];
  const url = `http://${authority}/`;
  if (/[/\\?#@\s]/.test(authority) || !URL.canParse(url)) return undefined;
  return { host: hostOf(new URL(url)), port, isSuffix };
}

function portOf(url: URL): string {
  if (url.port !== '') return url.port;
  return url.protocol === 'https:' ? '443' : '80';
}
