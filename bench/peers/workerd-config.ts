/** Writes workerd's own configuration (workerd.capnp). Pure text. */

/** One Worker on one port of 127.0.0.1. */
export interface WorkerdOptions {
  readonly port: number;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** For V8 itself. Default none. */
  readonly v8Flags?: readonly string[];
  /** Text bindings. */
  readonly vars: Readonly<Record<string, string>>;
  /** Durable Objects with SQLite; `directory` keeps them. Default none. */
  readonly objects?: {
    readonly directory: string;
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[];
  };
}

// Cap'n Proto writes a text as JSON does, for all that stands in settings and paths.
const text = (value: string): string => JSON.stringify(value);
const list = (items: readonly string[]): string => `[${items.join(', ')}]`;

/** The configuration; it embeds `worker.js`, which must lie beside the file. */
export function workerdConfig(options: WorkerdOptions): string {
  const { port, compatibilityDate, compatibilityFlags, vars, objects, v8Flags = [] } = options;
  const disk =
    objects && `(name = "disk", disk = (path = ${text(objects.directory)}, writable = true))`;
  const bindings = [
    ...Object.entries(vars).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...(objects?.bindings ?? []).map(
      ({ name, class_name }) =>
        `(name = ${text(name)}, durableObjectNamespace = ${text(class_name)})`,
    ),
  ];
  const namespaces = (objects?.bindings ?? []).map(
    ({ class_name }) =>
      `(className = ${text(class_name)}, uniqueKey = ${text(class_name)}, enableSql = true)`,
  );
  const services = [
    '(name = "main", worker = .worker)',
    // The vendor and the callbacks are on this machine.
    '(name = "internet", network = (allow = ["private"]))',
    ...(disk === undefined ? [] : [disk]),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = ${list(services)},
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
  v8Flags = ${list(v8Flags.map(text))},
);

const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = ${list(compatibilityFlags.map(text))},
  bindings = ${list(bindings)},
  durableObjectNamespaces = ${list(namespaces)},
  durableObjectStorage = ${disk === undefined ? '(none = void)' : '(localDisk = "disk")'},
);
`;
}
